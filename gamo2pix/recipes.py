"""How images are made of features: one row a recipe. No TensorFlow here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """What GAMO2pix trains, and what it generates from.

    Attributes:
      title: for people.
      source: where it is from.
      shared: minibatches that a decoder is trained for on the training images of all
        classes, before that of each class begins with its weights; 0: each class
        begins anew.
      spatial: channels of the spatial code that F's last map adds to the feature; 0:
        there is none. It is part of what Eq. 1 combines.
      adversarial: weight of the critic's term, in nats a pixel value; 0: no critic.
      anchored: a generated point lies between a row of the class, drawn uniformly, and
        one that G chooses of a few others: as in balanced GAMO, no row is left out.
    """

    title: str
    source: str
    shared: int = 0
    spatial: int = 0
    adversarial: float = 0.0
    anchored: bool = False


RECIPES = {
    "paper": Recipe(
        "a VAE for each class, by itself, with squared error",
        "Mullick et al. (ICCV 2019), Section 5",
    ),
    "shared": Recipe(
        "one decoder for all classes, with a spatial code and a critic, then tuned to "
        "each; anchored mixtures",
        "VAE and GAN (Larsen et al., ICML 2016) on a spatial code; mixtures are judged "
        "too (Berthelot et al., ICLR 2019); augmented (Zhao et al., NeurIPS 2020)",
        shared=800,
        spatial=16,
        adversarial=0.4,
        anchored=True,
    ),
}
