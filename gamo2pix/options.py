"""Settings of GAMO2pix, with unit and source. No TensorFlow here."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from gamo_tf.config.checks import check_ranges

# The length at which unseen real images are decoded best was measured by
# benchmarks/pix_length.py; docs/results.md has the table.
PASSES = 64  # over the images of a class
LIMITS = (500, 4000)  # fewest and most minibatches of a class
# How the real images come into a balanced folder.
COPY, LINK, RESIZED = "copy", "link", "resized"
HOW = (COPY, LINK, RESIZED)


@dataclass(frozen=True)
class PixOptions:
    """What decides the outcome of a class's VAE. The paper names no sizes.

    Attributes:
      iterations: minibatches a class, 1 or more; None: see `length`.
      seed: of the initial weights, the minibatches and everything that is generated;
        0 to 2**32 - 1.
      batch_size: images of a minibatch, as in the game.
      latent: width of the VAE's latent z. The game's G has a latent of its own width.
      learning_rate: Adam's.

    Raises:
      UserError: a number is out of its range (see `config.checks.RANGES`).
    """

    iterations: int | None = None
    seed: int = 0
    batch_size: int = 32
    latent: int = 64
    learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        check_ranges({k: v for k, v in asdict(self).items() if v is not None})

    def length(self, n: int) -> int:
        """How many minibatches the VAE of a class is trained for.

        Args:
          n: training images of the class.

        Returns:
          `iterations` where it is set, else PASSES over the images, within LIMITS.
        """
        passes = PASSES * n // self.batch_size
        return self.iterations or min(max(passes, LIMITS[0]), LIMITS[1])

    def to_json(self) -> dict:
        """Every setting by name, as `options.json` of a class keeps them."""
        return asdict(self)
