"""METHODS: one row a method, GAMO's own, its ablation, and what else people use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    """How a method trains M.

    Attributes:
      name: as given to ``--method``.
      title: for people, with its source.
      players: the networks that learn, of "FMDG".
      source: of the game's generated features (`sources.SOURCES`); "": no game,
        the plain classifier.
      extra: what adds training images before training (`oversampling.EXTRA`).
      objective: in the place of the run's loss (`objectives.OBJECTIVES`).
      late_objective: the same for the last fifth of the iterations.
      cosine_head: M's last layer compares directions (LDAM).
      new_head: for the last fifth F is frozen and a new M trained on balanced
        minibatches.
      losses: values of ``--loss`` that it has; the first is its default.
      mixup: mixes pairs of training images.
      targets: gives minority rows targets in feature space (DOS); needs an F that
        learns.
      grey: whether it is not defined for colour images.
      divide_prior: M's outputs are divided by the class prior when it predicts.
    """

    name: str
    title: str
    players: str = "FM"
    source: str = ""
    extra: str = ""
    objective: str = ""
    late_objective: str = ""
    cosine_head: bool = False
    new_head: bool = False
    losses: tuple[str, ...] = ("ls", "ce")
    mixup: bool = False
    targets: bool = False
    grey: bool = False
    divide_prior: bool = False

    @property
    def pixels(self) -> bool:
        """Whether what it adds before training is made of pixels."""
        return self.extra not in ("", "ros")

    @property
    def convex(self) -> bool:
        """Whether it trains the paper's G: convex weights over known rows."""
        return self.source == "convex" and "G" in self.players

    @property
    def m_updates(self) -> int:
        """Updates of M in one iteration. Iterations default to as many as give
        every method the same number of them."""
        return 2 if self.source else 1


# Methods whose source names softmax cross entropy have no least-squares form.
_CE = ("ce",)

METHODS = {
    method.name: method
    for method in (
        Method("gamo", "GAMO, Algorithm 1", "FMDG", source="convex"),
        Method("gamo-no-d", "GAMO\\D (Eqs. 2, 4 and 6 without D)", "FMG", "convex"),
        Method("cg-d", "cG+D+CN: a free generator in G's place", "FMDG", "free"),
        Method("cg", "cG+CN: a free generator against M", "FMG", "free"),
        Method(
            "convex-random", "Dirichlet(1) weights, no adversary", "FM", "dirichlet"
        ),
        Method("smote-features", "SMOTE on F(x), no adversary", "FM", "smote"),
        Method("cn", "plain classifier (Baseline CN)"),
        Method("ros", "random oversampling + CN", extra="ros"),
        Method("smote", "SMOTE on pixels (Chawla et al., 2002) + CN", extra="smote"),
        Method("augment", "shifted, turned, mirrored copies + CN", extra="augment"),
        Method("cgan", "cGAN (Mirza & Osindero, 2014) + CN", extra="cgan", grey=True),
        Method("cdcgan", "cDCGAN (Radford et al., 2016) + CN", extra="cdcgan"),
        Method("dos", "deep over-sampling (Ando & Huang, 2017)", targets=True),
        Method("class-weight", "loss by n / (c n_y)", objective="class-weight"),
        Method("mixup", "mixup (Zhang et al., 2018)", mixup=True),
        Method("focal", "focal loss (Lin et al., 2017)", objective="focal", losses=_CE),
        Method(
            "class-balanced",
            "effective numbers (Cui et al., 2019)",
            objective="class-balanced",
            losses=_CE,
        ),
        Method(
            "ldam-drw",
            "LDAM, deferred weighting (Cao et al., 2019)",
            objective="ldam",
            late_objective="ldam-weighted",
            cosine_head=True,
            losses=_CE,
        ),
        Method("crt", "a new balanced head (cRT, Kang et al., 2020)", new_head=True),
        Method(
            "logit-adjust",
            "logit adjustment (Menon et al., 2021)",
            objective="logit-adjust",
            losses=_CE,
        ),
        Method(
            "logit-adjust-posthoc",
            "logit adjustment after training (Menon et al., 2021)",
            objective="softmax",
            losses=_CE,
            divide_prior=True,
        ),
    )
}
