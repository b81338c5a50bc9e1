"""What the paper reports: mean and deviation of ten repeats, Tables 1 to 5.

Mullick, Datta and Das, "Generative Adversarial Minority Oversampling", ICCV 2019,
Section 4. The numbers are as printed, with two decimals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Reported(NamedTuple):
    """A method's metrics, each a mean and a standard deviation over ten repeats.

    A field is named as the metric is in `gamo_tf.evaluation.metrics.METRICS`, with
    ``_sd`` behind it for the deviation: tables find a metric's figures by its name. A
    metric that the paper does not report has no field here.
    """

    acsa: float
    acsa_sd: float
    gm: float
    gm_sd: float


# (dataset, loss, set) -> method -> its figures. The set is a key of
# `config.options.SETS`; methods have this project's names.
PublishedTable = Mapping[tuple[str, str, str], Mapping[str, Reported]]


def _parse(text: str) -> dict[str, Reported]:
    """Lines of a method's name and four hundredths: ACSA, sd, GM, sd."""
    figures = {}
    for line in text.strip().splitlines():
        name, *numbers = line.split()
        figures[name] = Reported(*(int(n) / 100 for n in numbers))
    return figures


# Tables 1, 2 and 4 are of the test set; Table 3 has the training set too. Table 5 is
# `FID` below, because it has another measure.
TABLES: dict[str, PublishedTable] = {
    "table1": {
        ("mnist", "ce", "test"): _parse(
            """cn 88 1 87 2
            smote 88 2 87 3
            cgan 88 1 87 1
            cg 86 3 85 2
            cg-d 85 2 83 1
            gamo-no-d 87 1 86 1
            gamo 89 1 88 1"""
        ),
        ("mnist", "ls", "test"): _parse(
            """cn 88 1 86 1
            smote 89 1 89 1
            cgan 89 1 88 1
            cg 86 3 85 3
            cg-d 85 2 82 2
            gamo-no-d 88 1 87 1
            gamo 91 1 90 1"""
        ),
        ("fashion-mnist", "ce", "test"): _parse(
            """cn 82 1 80 1
            augment 82 1 78 1
            dos 82 1 79 1
            cdcgan 81 2 78 1
            cg 79 2 77 2
            cg-d 79 2 78 1
            gamo-no-d 81 1 80 1
            gamo 82 1 80 1"""
        ),
        ("fashion-mnist", "ls", "test"): _parse(
            """cn 81 1 79 1
            augment 82 1 78 1
            dos 81 1 79 2
            cdcgan 82 1 80 1
            cg 80 1 77 2
            cg-d 79 1 78 2
            gamo-no-d 82 1 80 1
            gamo 83 1 81 1"""
        ),
    },
    "table2": {
        ("cifar10", "ls", "test"): _parse(
            """cn 45 1 37 1
            augment 47 1 39 2
            cdcgan 42 2 32 3
            dos 46 2 37 1
            gamo-no-d 47 1 40 1
            gamo 49 1 43 2"""
        ),
        ("svhn", "ls", "test"): _parse(
            """cn 74 1 73 1
            augment 69 1 63 1
            cdcgan 69 1 66 2
            dos 71 2 68 1
            gamo-no-d 75 1 75 2
            gamo 76 1 75 2"""
        ),
    },
    "table3": {
        ("celeba-small", "ls", "train"): _parse(
            """cn 91 1 91 1
            augment 74 6 70 9
            cdcgan 86 1 84 1
            dos 82 3 80 2
            gamo 92 1 91 1"""
        ),
        ("celeba-small", "ls", "test"): _parse(
            """cn 59 1 45 4
            augment 62 5 47 8
            cdcgan 59 1 36 2
            dos 61 1 48 2
            gamo 66 1 54 2"""
        ),
        ("celeba-large", "ls", "train"): _parse(
            """cn 93 1 92 1
            augment 82 1 79 1
            cdcgan 87 1 86 1
            dos 84 1 83 2
            gamo 91 1 91 1"""
        ),
        ("celeba-large", "ls", "test"): _parse(
            """cn 71 1 60 3
            augment 72 1 66 2
            cdcgan 67 1 58 2
            dos 72 1 64 2
            gamo 75 1 70 2"""
        ),
        ("lsun-small", "ls", "train"): _parse(
            """cn 90 1 89 1
            augment 67 6 64 9
            cdcgan 80 2 79 2
            dos 78 3 76 2
            gamo 93 1 93 1"""
        ),
        ("lsun-small", "ls", "test"): _parse(
            """cn 50 1 28 5
            augment 54 3 45 7
            cdcgan 53 2 43 3
            dos 54 2 44 2
            gamo 57 1 50 2"""
        ),
        ("lsun-large", "ls", "train"): _parse(
            """cn 87 1 87 1
            augment 70 3 65 3
            cdcgan 81 2 80 2
            dos 79 2 77 2
            gamo 80 1 80 1"""
        ),
        ("lsun-large", "ls", "test"): _parse(
            """cn 61 2 54 3
            augment 64 2 58 3
            cdcgan 60 2 53 3
            dos 63 2 61 3
            gamo 70 2 68 3"""
        ),
    },
    "table4": {
        ("sun397", "ls", "test"): _parse(
            """cn 26 4 19 5
            augment 30 4 21 4
            cdcgan 20 5 0 0
            dos 28 4 20 4
            gamo 32 4 24 3"""
        ),
    },
}

# Table 5: dataset -> method -> mean and standard deviation of the Frechet Inception
# distance, averaged over classes. The paper says neither which network's features it
# is of nor how many images were compared.
FID: dict[str, dict[str, tuple[float, float]]] = {
    "fashion-mnist": {"gamo2pix": (0.75, 0.03), "cdcgan": (5.57, 0.03)},
    "svhn": {"gamo2pix": (0.17, 0.02), "cdcgan": (0.59, 0.04)},
    "cifar10": {"gamo2pix": (1.59, 0.03), "cdcgan": (2.96, 0.03)},
    "celeba-small": {"gamo2pix": (11.13, 0.04), "cdcgan": (15.12, 0.05)},
}
