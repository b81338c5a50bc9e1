"""Theorem 1 of the paper, in numbers, on small discrete distributions.

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

from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import rel_entr, softmax, xlogy

from gamo_tf import pages
from gamo_tf.folder import write_text

DRAWS, CLASSES, ATOMS, SEED = 8, 4, 6, 0


def measures(priors: np.ndarray, real: np.ndarray, made: np.ndarray) -> np.ndarray:
    """A [c, x] of class priors [c] and real and generated distributions [c, x]."""
    return priors[:, None] * real + (priors.max() - priors)[:, None] * made


def value(A: np.ndarray, M: np.ndarray) -> float:
    """J of Eq. 2, for outputs M [c, x]."""
    rest = A.sum(0) - A
    return float(np.sum(xlogy(A, M) + xlogy(rest, 1.0 - M)))


def optimum(A: np.ndarray) -> np.ndarray:
    """M* in closed form."""
    return A / A.sum(0)


def found_optimum(A: np.ndarray) -> np.ndarray:
    """The M that a search over softmax logits finds (L-BFGS, gradient by hand)."""
    rest = A.sum(0) - A

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        M = softmax(flat.reshape(A.shape), axis=0)
        slope = A / M - rest / (1.0 - M)
        gradient = M * (slope - (M * slope).sum(0))
        return -value(A, M), -gradient.ravel()

    best = minimize(loss, np.zeros(A.size), jac=True, method="L-BFGS-B", tol=1e-15)
    return softmax(best.x.reshape(A.shape), axis=0)


def divergence(A: np.ndarray) -> float:
    """The theorem's sum over i of JS(A_i || B_i)."""
    rest = A.sum(0) - A
    half = (A + rest) / 2
    return float(np.sum(rel_entr(A, half) + rel_entr(rest, half)) / 2)


def draw() -> list[np.ndarray]:
    """A of DRAWS generators against the same data."""
    rng = np.random.default_rng(SEED)
    priors = np.sort(rng.dirichlet(np.full(CLASSES, 2.0)))
    real = rng.dirichlet(np.ones(ATOMS), CLASSES)
    return [
        measures(priors, real, rng.dirichlet(np.ones(ATOMS), CLASSES))
        for _ in range(DRAWS)
    ]


def write(out: Path) -> int:
    """theorem1.md: a line for each generator. Returns 0, or 1 if it does not hold."""
    lines, gaps, errors = [], [], []
    all_A = draw()
    for k, A in enumerate(all_A):
        best, searched = value(A, optimum(A)), value(A, found_optimum(A))
        twice = 2 * divergence(A)
        uniform = value(A, np.full_like(A, 1 / CLASSES))
        gaps.append(best - twice)
        errors.append(abs(best - searched))
        cells = (best, searched, twice, best - twice, uniform - twice)
        lines.append([str(k + 1), *(f"{x:.9f}" for x in cells)])
    mass = all_A[0].sum(1)[0]  # P_c
    constant = -(CLASSES**2) * mass * np.log(2)
    holds = np.allclose(gaps, constant, atol=1e-12) and max(errors) < 1e-6
    head = ["generator", "J at M*", "J at the M searched for", "2 sum JS"]
    head += ["J - 2 sum JS", "the same at a uniform M"]
    told = (
        f"`python reproduce.py theorem1`: {DRAWS} random generators against one random "
        f"data set of {CLASSES} classes on {ATOMS} points (seed {SEED}). At the best "
        "M, J less twice the sum of the Jensen-Shannon divergences is one number for "
        f"every generator: {min(gaps):.12f} to {max(gaps):.12f}; -c² P_c log 2 is "
        f"{constant:.12f}. At another M it is not (last column). A search over softmax "
        f"outputs ends within {max(errors):.1e} of M*'s value."
    )
    blocks = [pages.Heading("Theorem 1", 1), pages.Text(told), pages.Table(head, lines)]
    write_text(out / "theorem1.md", pages.markdown(blocks))
    print(told)
    print(f"written: {out / 'theorem1.md'}")
    return 0 if holds else 1
