"""METHODS: one row a method, GAMO's own, its ablation, and what else people use.

A row names the code that it needs as ``module:name`` below the package ``gamo_tf``, so
that a new method is a row here and at most one file in ``gamo_tf/methods``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gamo_tf.config.tuned import RECIPE, TUNED

LATE = 0.8  # share of the iterations after which the last part of a method begins

Need = Literal["images", "grey images", "an F that learns"]


@dataclass(frozen=True)
class Method:
    """How a method trains M.

    Attributes:
      name: as given to ``--method``.
      title: for people, with its source.
      players: the networks that learn, of "FMDG".
      trainer: what trains them.
      samples: the game's source of generated features; "": nothing is generated.
      oversample: the function that adds training images before training; "": none.
      objective: in the place of the run's loss, a name of
        ``methods.imbalance_losses.OBJECTIVES``; "": the run's loss.
      losses: values of ``--loss`` that it has; the first is its default.
      needs: what the dataset must have for it.
      f_share: of the iterations, in which F is updated, where F learns.
      anchored: whether G has an anchor (`networks.anchored_generator`).
      holds_features: Whether the features of all training samples stay in memory.
      defaults: settings in the place of those of `Options`; ``augment`` of images
        alone.
    """

    name: str
    title: str
    players: str = "FM"
    trainer: str = "methods.classifier:Classifier"
    samples: str = ""
    oversample: str = ""
    objective: str = ""
    losses: tuple[str, ...] = ("ls", "ce")
    needs: tuple[Need, ...] = ()
    f_share: float = 1.0
    anchored: bool = False
    holds_features: bool = False
    defaults: Mapping[str, object] = field(default_factory=dict)

    @property
    def learns_generator(self) -> bool:
        """Whether it trains the paper's G: convex weights over known samples."""
        return self.samples in (_CONVEX, _CHOSEN)

    @property
    def convex(self) -> bool:
        """Whether a run of it can generate: convex combinations of known samples, by
        a trained G or with partners at random."""
        return self.learns_generator or self.samples == _AT_RANDOM

    @property
    def balanced(self) -> bool:
        """Whether it shows rows of smaller classes more often, ``--sampling``."""
        return self.trainer == _BALANCED

    @property
    def supported(self) -> bool:
        """Whether its G can work on some points of a class, ``--support``."""
        return self.samples == _CONVEX

    @property
    def trains_gan(self) -> bool:
        """Whether a conditional GAN adds its images, ``--gan-turns``."""
        return self.oversample.startswith("methods.conditional_gan:")

    @property
    def adjusts(self) -> bool:
        """Whether it has a strength of adjustment, ``--tau``."""
        return self.objective in _ADJUSTED or self.balanced

    @property
    def ends_on_averages(self) -> bool:
        """Whether ``--ema`` decides the weights that training ends on too: F is frozen
        as its average, or all become their averages. Other methods train alike with
        any averages and without."""
        return self.balanced or self.f_share < 1

    @property
    def m_updates(self) -> int:
        """Updates of M in one iteration. Iterations default to as many as give
        every method the same number of them."""
        return 2 if self.samples and not self.balanced else 1


GAME = "game:Game"  # the trainer of Algorithm 1
_BALANCED = "methods.balanced_game:BalancedGame"
_ADJUSTED = ("logit-adjust", "logit-adjust-posthoc", "vector-scaling", "tau-norm")
_CONVEX = "methods.feature_sampling:Convex"
_CHOSEN = "methods.partners:Chosen"
_AT_RANDOM = "methods.partners:AtRandom"
_FREE = "methods.feature_sampling:Free"


def _game(name: str, title: str, players: str, samples: str) -> Method:
    return Method(name, title, players, GAME, samples, holds_features=True)


def _balanced(name: str, title: str, players: str, samples: str = "") -> Method:
    """A row of balanced GAMO or of one of its controls."""
    return Method(
        name,
        title,
        players,
        _BALANCED,
        samples,
        losses=("ce", "ls"),
        anchored="G" in players,
        defaults={**TUNED["gamo-balanced"], **RECIPE},
    )


def _images(name: str, title: str, oversample: str, *needs: Need) -> Method:
    return Method(name, title, oversample=oversample, needs=("images", *needs))


def _loss(name: str, title: str, objective: str) -> Method:
    """A method whose source names softmax cross entropy: it has no form in least
    squares."""
    return Method(name, title, objective=objective, losses=("ce",))


METHODS = {
    method.name: method
    for method in (
        _game("gamo", "GAMO, Algorithm 1", "FMDG", _CONVEX),
        _game("gamo-no-d", "GAMO\\D (Eqs. 2, 4 and 6 without D)", "FMG", _CONVEX),
        _game("cg-d", "cG+D+CN: a free generator in G's place", "FMDG", _FREE),
        _game("cg", "cG+CN: a free generator against M", "FMG", _FREE),
        _game(
            "convex-random",
            "Dirichlet(1) weights, no adversary",
            "FM",
            "methods.feature_sampling:Dirichlet",
        ),
        _game(
            "smote-features",
            "SMOTE on F(x), no adversary",
            "FM",
            "methods.feature_sampling:Smote",
        ),
        _balanced("gamo-balanced", "balanced GAMO", "FMDG", _CHOSEN),
        _balanced("gamo-balanced-no-d", "balanced GAMO without D", "FMG", _CHOSEN),
        _balanced(
            "balanced-pairs",
            "balanced GAMO, partners at random",
            "FM",
            _AT_RANDOM,
        ),
        _balanced(
            "balanced-smote",
            "balanced GAMO, partners by SMOTE on F(x)",
            "FM",
            "methods.partners:Nearest",
        ),
        _balanced("balanced-repeats", "balanced GAMO, nothing generated", "FM"),
        Method("cn", "plain classifier (Baseline CN)"),
        Method(
            "ros",
            "random oversampling + CN",
            oversample="methods.image_oversampling:random_copies",
        ),
        _images(
            "smote",
            "SMOTE on pixels (Chawla et al., 2002) + CN",
            "methods.image_oversampling:smote",
        ),
        _images(
            "augment",
            "shifted, turned, mirrored copies + CN",
            "methods.image_oversampling:augment",
        ),
        _images(
            "cgan",
            "cGAN (Mirza & Osindero, 2014) + CN",
            "methods.conditional_gan:cgan",
            "grey images",
        ),
        _images(
            "cdcgan",
            "cDCGAN (Radford et al., 2016) + CN",
            "methods.conditional_gan:cdcgan",
        ),
        Method(
            "dos",
            "deep over-sampling (Ando & Huang, 2017)",
            trainer="methods.deep_oversampling:DeepOversampling",
            holds_features=True,
            needs=("images", "an F that learns"),
        ),
        Method("class-weight", "loss by n / (c n_y)", objective="class-weight"),
        Method(
            "mixup",
            "mixup (Zhang et al., 2018)",
            trainer="methods.image_mixing:Mixup",
        ),
        Method(
            "remix",
            "Remix (Chou et al., 2020)",
            trainer="methods.image_mixing:Remix",
        ),
        Method(
            "cmo",
            "CMO, pasted minorities (Park et al., 2022)",
            trainer="methods.image_mixing:PastedMinorities",
            needs=("images",),
        ),
        Method(
            "m2m",
            "M2m, major to minor (Kim et al., 2020)",
            trainer="methods.major_to_minor:MajorToMinor",
            losses=("ce",),
            objective="softmax",
            needs=("images",),
        ),
        _loss("focal", "focal loss (Lin et al., 2017)", "focal"),
        _loss(
            "class-balanced", "effective numbers (Cui et al., 2019)", "class-balanced"
        ),
        _loss("ldam-drw", "LDAM, deferred weighting (Cao et al., 2019)", "ldam-drw"),
        Method(
            "crt",
            "a new balanced head (cRT, Kang et al., 2020)",
            trainer="methods.classifier_retraining:ClassifierRetraining",
            f_share=LATE,
            holds_features=True,
        ),
        Method(
            "eos",
            "cRT with points towards other classes (EOS, Dablain et al., 2022)",
            trainer="methods.classifier_retraining:ExpansiveOversampling",
            f_share=LATE,
            holds_features=True,
        ),
        _loss("logit-adjust", "logit adjustment (Menon et al., 2021)", "logit-adjust"),
        _loss(
            "logit-adjust-posthoc",
            "logit adjustment after training (Menon et al., 2021)",
            "logit-adjust-posthoc",
        ),
        _loss("vector-scaling", "VS loss (Kini et al., 2021)", "vector-scaling"),
        _loss("tau-norm", "tau-normalised head (Kang et al., 2020)", "tau-norm"),
    )
}

# What README recommends; `gamo methods --recommended` prints it. Of the methods that
# were tuned equally it scored highest on validation samples of augmented images
# (docs/results/finals.md).
RECOMMENDED = "balanced-pairs"
# On tables: the highest on validation samples in docs/table-methods.csv.
RECOMMENDED_FOR_TABLES = "logit-adjust"
# Behind a pretrained network: the highest on validation samples in
# docs/results/backbones.md.
RECOMMENDED_BEHIND_BACKBONE = "logit-adjust"


def recommended(images: bool, generates: bool = False, pretrained: bool = False) -> str:
    """The method that a person's own data are trained with by default.

    Args:
      images: Whether the data are images; else they are a table.
      pretrained: Whether F is a pretrained network.
      generates: Whether new samples are asked for, which need a generator.

    Returns:
      A row of `METHODS`.
    """
    name = RECOMMENDED if images else RECOMMENDED_FOR_TABLES
    name = RECOMMENDED_BEHIND_BACKBONE if pretrained else name
    return RECOMMENDED if generates and not METHODS[name].convex else name
