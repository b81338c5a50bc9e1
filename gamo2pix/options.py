"""Settings of GAMO2pix, with unit and source. No TensorFlow here."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from gamo_tf.errors import UserError


@dataclass(frozen=True)
class PixOptions:
    """What decides the outcome of a class's VAE. The paper names no sizes."""

    iterations: int = 4000  # minibatches a class; docs/results.md has the curve
    seed: int = 0  # of initial weights, minibatches and all that is generated
    batch_size: int = 32  # as in the game
    latent: int = 64  # of the VAE (the game's own latent is another)
    learning_rate: float = 1e-3  # Adam's

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise UserError(f"--iterations {self.iterations}: expected 1 or more.")
        if self.seed < 0:
            raise UserError(f"--seed {self.seed}: expected 0 or more.")

    def to_json(self) -> dict:
        return asdict(self)
