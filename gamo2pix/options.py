"""Settings of GAMO2pix, with unit and source. No TensorFlow here."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from gamo2pix.recipes import RECIPES
from gamo_tf.config.checks import check_ranges
from gamo_tf.errors import UserError, did_you_mean, setting

# The length at which unseen real images are decoded best was measured by
# benchmarks/pix_length.py; docs/results.md has the table.
PASSES = 64  # over the images of a class
LIMITS = (500, 4000)  # fewest and most minibatches of a class
# Minibatches that tune a shared decoder to a class, and their learning rate beside that
# of the decoder: with a larger one its critic drives some classes astray.
TUNING, TUNING_RATE = 100, 0.1
# With fewer images both trainings are shorter, in proportion: unseen images are decoded
# no better by longer ones (docs/results.md).
SHARED_IMAGES, TUNING_IMAGES = 300, 40  # from which on they have their whole length
LEAST = 0.25  # of the whole length
PAPER, RECIPE = "paper", "shared"  # the paper's recipe, and that of the program
# Settings that runs of older versions do not name.
OLD: dict = {"recipe": PAPER, "shared_iterations": None}
# How the real images come into a balanced folder. Resized ones are as the run saw them,
# in the size and format of the generated ones.
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
      recipe: a row of `recipes.RECIPES`.
      shared_iterations: minibatches of the decoder of all classes; None: those of the
        recipe.

    Raises:
      UserError: a number is out of its range (see `config.checks.RANGES`), or there is
        no such recipe.
    """

    iterations: int | None = None
    seed: int = 0
    batch_size: int = 32
    latent: int = 64
    learning_rate: float = 1e-3
    recipe: str = PAPER
    shared_iterations: int | None = None

    def __post_init__(self) -> None:
        check_ranges({k: v for k, v in asdict(self).items() if v is not None})
        if self.recipe not in RECIPES:
            raise UserError(
                f"{setting('recipe')} {self.recipe}: expected one of "
                f"{', '.join(RECIPES)}.{did_you_mean(self.recipe, list(RECIPES))}"
            )
        if self.shared_iterations and not RECIPES[self.recipe].shared:
            raise UserError(
                f"{setting('shared_iterations')}: {self.recipe} has no shared decoder."
            )

    def length(self, n: int) -> int:
        """How many minibatches the VAE of a class is trained for.

        Args:
          n: training images of the class.

        Returns:
          `iterations` where it is set; else TUNING where there is a shared decoder, of
          a small class less, and PASSES over the images, within LIMITS, where there is
          none.
        """
        if RECIPES[self.recipe].shared:
            return self.iterations or _in_proportion(TUNING, n, TUNING_IMAGES)
        passes = PASSES * n // self.batch_size
        return self.iterations or min(max(passes, LIMITS[0]), LIMITS[1])

    def shared_length(self, n: int) -> int:
        """How many minibatches the decoder of all classes is trained for.

        Args:
          n: training images of all classes.

        Returns:
          `shared_iterations` where it is set, else what the recipe has, of few images
          less; where `iterations` is below TUNING, so much less again.
        """
        usual = _in_proportion(RECIPES[self.recipe].shared, n, SHARED_IMAGES)
        if self.iterations:
            usual = min(usual, usual * self.iterations // TUNING)
        return self.shared_iterations or max(1, usual)

    def to_json(self) -> dict:
        """Every setting by name, as `options.json` of a class keeps them."""
        return asdict(self)


def _in_proportion(whole: int, n: int, enough: int) -> int:
    """So many minibatches that n images are seen as often as `enough` ones by `whole`;
    at most `whole`, and at least LEAST of it."""
    return min(whole, max(round(LEAST * whole), whole * n // enough))
