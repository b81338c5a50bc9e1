"""DATASETS: one row a dataset, with what the paper says of it (Sections 4.1, 4.2)."""

from __future__ import annotations

import math
from dataclasses import dataclass

FEATURES = 512  # width of F's last layer in the authors' convolutional program
_DIGITS = tuple("0123456789")
_MNIST_COUNTS = (4000, 2000, 1000, 750, 500, 350, 200, 100, 60, 40)
_CIFAR_COUNTS = (4500, 2000, 1000, 800, 600, 500, 400, 250, 150, 80)
_HAIR = ("blonde", "black", "bald", "brown", "gray")
_SCENES = ("classroom", "church-outdoor", "conference-room", "dining-room", "tower")
_SMALL = (15_000, 1500, 750, 300, 150)
_CELEBA_LARGE = (28_000, 4000, 3000, 1500, 750)
_LSUN_LARGE = (50_000, 5000, 3000, 1500, 750)
_CELEBA_TERMS = "non-commercial research (Liu et al.)"
_LSUN_TERMS = "none stated by its publisher (Yu et al.)"


@dataclass(frozen=True)
class DatasetSpec:
    """What is fixed about a dataset.

    Attributes:
      name: as given to ``--dataset``.
      shape: ``(height, width, channels)`` of an image, or ``(features,)`` of a
        vector.
      classes: class names; the position is the dataset's own label.
      counts: training images drawn from each class, in label order.
      conv: filters of each 5x5 convolution block of F; empty: F is the
        flattening and M, D, G play on pixels ("flattened images", Algorithm 1).
      test_per_class: test images a class in the paper's protocol.
      reader: module of ``gamo_tf.data.readers`` that reads the published files.
      iterations: default number of minibatch iterations.
      source: where the counts come from.
      terms: under which the images were published.
      mirror: whether a mirrored image still shows its class.
      pooled: whether its images are decoded once, to a pool on disk
        (`gamo_tf.data.decoded_pool`).
      draws_classes: whether the classes and their sizes follow from the seed. Such a
        row has none; its reader has a function ``draw``.
      validation_per_class: images a class that are set aside for validation, of those
        that are not drawn to train on.
      file_labels: the digits in the order in which the published files number them,
        where that is another order; ``--class-order file`` takes the counts so.
      categories: of vectors, the number of categories of each column; 0 for one of
        numbers. Empty: all are of numbers.
    """

    name: str
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    counts: tuple[int, ...]
    conv: tuple[int, ...]
    test_per_class: int
    reader: str
    iterations: int
    source: str
    terms: str
    mirror: bool = False
    pooled: bool = False
    draws_classes: bool = False
    file_labels: tuple[int, ...] = ()
    validation_per_class: int = 0
    categories: tuple[int, ...] = ()

    @property
    def vector(self) -> bool:
        """Whether a row is a vector of features and no image."""
        return len(self.shape) == 1


def user_spec(
    name: str,
    shape: tuple[int, ...],
    classes: tuple[str, ...],
    counts: tuple[int, ...],
    categories: tuple[int, ...] = (),
) -> DatasetSpec:
    """The row of a user's own data.

    F of images has a 5x5 convolution block for each halving of the side down to 4 to
    7 pixels, with 32 filters in the first two and 64 in the others; of vectors it has
    none. A run makes 50 passes over the rows in minibatches of 32, at least 2,000
    and at most 25,000 iterations.

    Args:
      name: of the data, for run folders and titles.
      shape: (height, width, channels) of an image, or (features,) of a vector.
      classes: class names in label order.
      counts: training rows of each class, in label order.
      categories: of vectors, the number of categories of each column; 0 for one of
        numbers. Empty: all are of numbers.
    """
    blocks = max(1, int(math.log2(max(min(shape[:2]), 8) / 4))) if shape[1:] else 0
    passes = 50 * -(-sum(counts) // 32)  # rounded up; whole numbers of any size
    return DatasetSpec(
        name=name,
        shape=shape,
        classes=classes,
        counts=counts,
        conv=(32, 32, *[64] * (blocks - 2))[:blocks],
        test_per_class=0,
        reader="",
        iterations=min(max(passes, 2000), 25_000),
        source="as in the data",
        categories=categories,
        terms="those of the data",
    )


DATASETS = {
    spec.name: spec
    for spec in (
        DatasetSpec(
            "digits",
            (8, 8, 1),
            _DIGITS,
            (100, 60, 40, 30, 24, 18, 14, 10, 7, 5),
            (16,),
            25,
            "digits",
            1500,
            "scikit-learn load_digits; counts are this project's",
            "CC BY 4.0 (UCI, Alpaydin and Kaynak)",
            validation_per_class=25,
        ),
        DatasetSpec(
            "mnist",
            (28, 28, 1),
            _DIGITS,
            _MNIST_COUNTS,
            (),
            100,
            "idx",
            25_000,
            "paper, Section 4.1 (flattened images)",
            "CC BY-SA 3.0 (LeCun, Cortes, Burges)",
            validation_per_class=400,
        ),
        DatasetSpec(
            "fashion-mnist",
            (28, 28, 1),
            (
                "t-shirt",
                "trouser",
                "pullover",
                "dress",
                "coat",
                "sandal",
                "shirt",
                "sneaker",
                "bag",
                "ankle-boot",
            ),
            _MNIST_COUNTS,
            (32, 32),
            100,
            "idx",
            25_000,
            "paper, Section 4.1",
            "MIT (Zalando)",
            mirror=True,
            validation_per_class=400,
        ),
        DatasetSpec(
            "cifar10",
            (32, 32, 3),
            (
                "airplane",
                "automobile",
                "bird",
                "cat",
                "deer",
                "dog",
                "frog",
                "horse",
                "ship",
                "truck",
            ),
            _CIFAR_COUNTS,
            (32, 32, 32),
            100,
            "cifar",
            25_000,
            "paper, Section 4.2",
            "none stated by its publisher (Krizhevsky, 2009)",
            mirror=True,
            validation_per_class=400,
        ),
        DatasetSpec(
            "svhn",
            (32, 32, 3),
            _DIGITS,
            _CIFAR_COUNTS,
            (32, 32, 32),
            100,
            "svhn",
            25_000,
            "paper, Section 4.2",
            "non-commercial use only (Netzer et al.)",
            file_labels=(1, 2, 3, 4, 5, 6, 7, 8, 9, 0),
            validation_per_class=400,
        ),
        *(
            DatasetSpec(
                f"{reader}-{size}",
                (64, 64, 3),
                classes,
                counts,
                (32, 32, 64, 64),
                100,
                reader,
                25_000,
                "paper, Section 4.3",
                terms,
                mirror=True,
                pooled=True,
                validation_per_class=100,
            )
            for reader, classes, terms, large in (
                ("celeba", _HAIR, _CELEBA_TERMS, _CELEBA_LARGE),
                ("lsun", _SCENES, _LSUN_TERMS, _LSUN_LARGE),
            )
            for size, counts in (("small", _SMALL), ("large", large))
        ),
        DatasetSpec(
            "sun397",
            (64, 64, 3),
            (),
            (),
            (32, 32, 64, 64),
            20,
            "sun397",
            25_000,
            "paper, Section 4.4",
            "research use (Xiao et al.)",
            draws_classes=True,
        ),
    )
}
