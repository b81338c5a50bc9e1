"""Starts `gamo2pix.cli` from a checkout; installed, it is ``gamo pix``."""

from __future__ import annotations

import sys

from gamo2pix.cli import main

if __name__ == "__main__":
    sys.exit(main())
