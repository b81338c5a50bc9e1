"""How long the GANs are trained that add images."""

import numpy as np
import pytest

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.options import resolve
from gamo_tf.methods import conditional_gan


@pytest.mark.parametrize(("asked", "turns"), [(0, 6), (3, 3)])
def test_a_gan_has_the_turns_of_the_game_or_those_that_are_asked_for(
    asked, turns, monkeypatch
):
    chosen = {"dataset": "digits", "method": "cgan", "iterations": 12}
    options = resolve({**chosen, "gan_turns": asked, "batch_size": 4})
    trained = []
    loop = conditional_gan.run_loop

    def counted(gan, *args, **kwargs):
        trained.append(loop(gan, *args, **kwargs))

    monkeypatch.setattr(conditional_gan, "run_loop", counted)
    images = np.zeros((7, 8, 8, 1), np.uint8)
    labels = np.array([0, 0, 0, 0, 1, 1, 2])
    _, topped_up = conditional_gan.cgan(images, labels, DATASETS["digits"], options)
    assert trained == [turns]
    assert np.bincount(topped_up).tolist() == [4, 4, 4]
