"""Theorem 1 of the paper, in numbers, on discrete distributions of a few points.

At the optimal M, J of Eq. 2 is twice the sum of the Jensen-Shannon divergences of the
theorem less a constant. With A_i = P_i p_i^d + (P_c - P_i) p_i^g, a measure of mass P_c
whatever G does, and B_i the sum of the other A_j, of mass (c - 1) P_c:

    J_i(M) = sum_x A_i log M_i + B_i log(1 - M_i),   M*_i = A_i / (A_i + B_i),
    J_i(M*) = 2 JS(A_i || B_i) - c P_c log 2,

JS(A || B) = (KL(A || (A + B) / 2) + KL(B || (A + B) / 2)) / 2. The constant in all is
c^2 P_c log 2. A_i + B_i is the same for every i, so that M* sums to 1: a softmax can
be it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import rel_entr, softmax, xlogy

from gamo_tf.errors import portable_command
from gamo_tf.files import write_text
from gamo_tf.grids import document

GENERATORS, CLASSES, POINTS, SEED = 8, 4, 6, 0


def measures(priors: np.ndarray, real: np.ndarray, generated: np.ndarray) -> np.ndarray:
    """A_i = P_i p_i^d + (P_c - P_i) p_i^g of every class.

    Args:
      priors: P_i, [c].
      real: p_i^d, the distribution of each class's data over the points, [c, x].
      generated: p_i^g, likewise of what G generates, [c, x].

    Returns:
      [c, x]; each row has the mass P_c.
    """
    return priors[:, None] * real + (priors.max() - priors)[:, None] * generated


def objective(A: np.ndarray, M: np.ndarray) -> float:
    """J of Eq. 2, summed over classes.

    Args:
      A: of `measures`, [c, x].
      M: the probability of each class at each point, [c, x].
    """
    rest = A.sum(0) - A
    return float(np.sum(xlogy(A, M) + xlogy(rest, 1.0 - M)))


def optimum(A: np.ndarray) -> np.ndarray:
    """M* = A_i / (A_i + B_i), the best M in closed form.

    Args:
      A: of `measures`, [c, x].

    Returns:
      [c, x]; each column sums to 1.
    """
    return A / A.sum(0)


def searched_optimum(A: np.ndarray) -> np.ndarray:
    """The M that a search over softmax logits ends at, which knows no closed form.

    L-BFGS, with the gradient worked out by hand.

    Args:
      A: of `measures`, [c, x].

    Returns:
      [c, x]; each column sums to 1.
    """
    rest = A.sum(0) - A

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        M = softmax(flat.reshape(A.shape), axis=0)
        slope = A / M - rest / (1.0 - M)  # dJ/dM
        # The softmax's Jacobian times the slope, column by column.
        gradient = M * (slope - (M * slope).sum(0))
        return -objective(A, M), -gradient.ravel()

    best = minimize(loss, np.zeros(A.size), jac=True, method="L-BFGS-B", tol=1e-15)
    return softmax(best.x.reshape(A.shape), axis=0)


def divergence(A: np.ndarray) -> float:
    """The theorem's sum over i of JS(A_i || B_i).

    Args:
      A: of `measures`, [c, x].
    """
    rest = A.sum(0) - A
    half = (A + rest) / 2
    return float(np.sum(rel_entr(A, half) + rel_entr(rest, half)) / 2)


def draw() -> list[np.ndarray]:
    """`measures` of `GENERATORS` random generators against the same random data."""
    rng = np.random.default_rng(SEED)
    priors = np.sort(rng.dirichlet(np.full(CLASSES, 2.0)))
    real = rng.dirichlet(np.ones(POINTS), CLASSES)
    return [
        measures(priors, real, rng.dirichlet(np.ones(POINTS), CLASSES))
        for _ in range(GENERATORS)
    ]


def write(out: Path, best_M: Callable[[np.ndarray], np.ndarray] = optimum) -> int:
    """Check the theorem, and write ``theorem1.md`` with a line for each generator.

    Args:
      out: directory of the page.
      best_M: what is taken for M*; another than `optimum` shows that the check fails
        where the theorem's assumption does.

    Returns:
      0 where the theorem holds to rounding, else 1.
    """
    lines, gaps, errors = [], [], []
    all_A = draw()
    for number, A in enumerate(all_A, 1):
        best = objective(A, best_M(A))
        searched = objective(A, searched_optimum(A))
        twice = 2 * divergence(A)
        uniform = objective(A, np.full_like(A, 1 / CLASSES))
        gaps.append(best - twice)
        errors.append(abs(best - searched))
        cells = (best, searched, twice, best - twice, uniform - twice)
        lines.append([str(number), *(f"{x:.9f}" for x in cells)])
    mass = all_A[0].sum(1)[0]  # P_c
    constant = -(CLASSES**2) * mass * np.log(2)
    holds = np.allclose(gaps, constant, atol=1e-12) and max(errors) < 1e-6
    head = ["generator", "J at M*", "J at the M searched for", "2 sum JS"]
    head += ["J - 2 sum JS", "the same at a uniform M"]
    made_by = portable_command("reproduce", "theorem1")
    note = (
        f"`{made_by}`: {GENERATORS} random generators against one random data set of "
        f"{CLASSES} classes on {POINTS} points (seed {SEED}). "
        "At the best M, J less twice the sum of the Jensen-Shannon divergences is one "
        f"number for every generator: {min(gaps):.12f} to {max(gaps):.12f}; "
        f"-c² P_c log 2 is {constant:.12f}. At another M it is not (last column). A "
        f"search over softmax outputs ends within {max(errors):.1e} of M*'s value."
    )
    page: list[document.Block] = [
        document.Heading("Theorem 1", 1),
        document.Text(note),
        document.Table(head, lines),
    ]
    write_text(out / "theorem1.md", document.markdown(page))
    print(note)
    print(f"written: {out / 'theorem1.md'}")
    return 0 if holds else 1
