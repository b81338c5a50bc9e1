"""How many training rows each class has, and what follows from that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class ClassCounts:
    """The class sizes P_1 n, ..., P_c n of a training set, in label order.

    A minority class is one that is smaller than the largest. The game oversamples
    these and no others; every class of the largest size is a majority class.

    Attributes:
      sizes: training rows of each class.
    """

    sizes: tuple[int, ...]

    @classmethod
    def of(cls, sizes: Iterable[int]) -> ClassCounts:
        """From any iterable of whole numbers, such as an array.

        Args:
          sizes: rows of each class, in label order.
        """
        return cls(tuple(int(n) for n in sizes))

    def __len__(self) -> int:
        """The number of classes c."""
        return len(self.sizes)

    @property
    def total(self) -> int:
        """Training rows of all classes, n."""
        return sum(self.sizes)

    @property
    def largest(self) -> int:
        """Rows of the largest class, P_c n."""
        return max(self.sizes)

    @property
    def minority(self) -> tuple[int, ...]:
        """Labels of the minority classes, ascending."""
        return tuple(k for k, n in enumerate(self.sizes) if n < self.largest)

    @property
    def minority_sizes(self) -> tuple[int, ...]:
        """Rows of each minority class, in the order of `minority`."""
        return tuple(self.sizes[k] for k in self.minority)

    @property
    def deficits(self) -> tuple[int, ...]:
        """Rows that each class lacks to the largest, (P_c - P_i) n, in label order."""
        return tuple(self.largest - n for n in self.sizes)

    @property
    def label_probabilities(self) -> tuple[float, ...]:
        """Algorithm 1, line 10: the probability of each minority label, proportional
        to P_c - P_i, in the order of `minority`."""
        lacking = self.deficits
        return tuple(lacking[k] / sum(lacking) for k in self.minority)

    @property
    def imbalance_ratio(self) -> float:
        """Rows of the largest class over those of the smallest."""
        return self.largest / min(self.sizes)

    @property
    def prior(self) -> tuple[float, ...]:
        """The share P_i of each class, in label order."""
        return tuple(n / self.total for n in self.sizes)

    def repeated(self, power: float) -> ClassCounts:
        """The rows of each class in an epoch that shows those of smaller classes more
        than once: proportional to n_i^power, and each row of the largest class once.

        Args:
          power: 1 shows all rows once, 0 all classes equally often. 0.5 is the square
            root that repeat factors have in Gupta et al. (LVIS, CVPR 2019).
        """
        largest = self.largest
        return ClassCounts.of(
            round(n * (n / largest) ** (power - 1)) for n in self.sizes
        )
