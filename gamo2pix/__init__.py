"""GAMO2pix (paper, Section 5): images from what a finished GAMO run generates."""
