"""What is wrong with a game, in words, from what was found of it while it ran."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gamo_tf.evaluation.plots import cut

COVERED = 0.1  # share of a class's rows; below it G has collapsed
WON = 0.95  # accuracy of D; above it D has won
_NAMED = 5  # classes in a sentence


def warnings(found: Mapping[str, Mapping[str, float]]) -> list[str]:
    """What is wrong with a game, in words.

    Args:
      found: what `game_watch.look` found, by name and class name; of a training without
        a game there is nothing to say.

    Returns:
      Sentences; none where all is well.
    """
    said = []
    shares = found.get("share_of_rows", {})
    if few := [name for name, share in shares.items() if share < COVERED]:
        names = ", ".join(map(cut, few[:_NAMED]))
        more = f" and {len(few) - _NAMED} more" if len(few) > _NAMED else ""
        said.append(
            f"G has collapsed: it uses less than {COVERED:.0%} of the rows of {names}"
            f"{more}. Its samples hardly differ."
        )
    accuracies = list(found.get("d_accuracy", {}).values())
    if accuracies and np.mean(accuracies) > WON:
        said.append(
            f"D has won: it tells {np.mean(accuracies):.0%} of real and generated "
            "features apart, and G learns little from it."
        )
    return said
