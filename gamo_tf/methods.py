"""METHODS: one row a method."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    """What a method plays with.

    Attributes:
      name: as given to ``--method``.
      title: for people.
      players: the networks that learn, of "FMDG".
      m_updates: updates of M in one iteration. Iterations default to as many as
        give every method the same number of updates of M.
    """

    name: str
    title: str
    players: str
    m_updates: int


METHODS = {
    method.name: method
    for method in (
        Method("gamo", "GAMO, Algorithm 1", "FMDG", 2),
        Method("cn", "plain classifier (Baseline CN)", "FM", 1),
    )
}
