"""Settings of GAMO2pix, with unit and source. No TensorFlow here."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from gamo_tf.errors import UserError

# Where unseen real images come back best: benchmarks/pix_length.py, docs/results.md.
PASSES = 64
LIMITS = (500, 4000)


@dataclass(frozen=True)
class PixOptions:
    """What decides the outcome of a class's VAE. The paper names no sizes."""

    iterations: int | None = None  # minibatches a class; None: see `length`
    seed: int = 0  # of initial weights, minibatches and all that is generated
    batch_size: int = 32  # as in the game
    latent: int = 64  # of the VAE (the game's own latent is another)
    learning_rate: float = 1e-3  # Adam's

    def __post_init__(self) -> None:
        if self.iterations is not None and self.iterations < 1:
            raise UserError(f"--iterations {self.iterations}: expected 1 or more.")
        if self.seed < 0:
            raise UserError(f"--seed {self.seed}: expected 0 or more.")

    def length(self, n: int) -> int:
        """Minibatches for a class of n images: PASSES over it, within LIMITS."""
        passes = PASSES * n // self.batch_size
        return self.iterations or min(max(passes, LIMITS[0]), LIMITS[1])

    def to_json(self) -> dict:
        return asdict(self)
