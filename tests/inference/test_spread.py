"""The spread of generated rows, worked out by hand and on known samplers."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from gamo_tf.inference import spread
from gamo_tf.inference.convex_sampler import Samples, heaviest

N, M = 40, 200  # real and generated rows
REAL = np.random.default_rng(0).normal([0, 50], [1, 9], (N, 2))


def measured(weights: np.ndarray, real: np.ndarray = REAL) -> spread.Spread:
    """Of the rows that convex weights [m, n] make."""
    top = heaviest(weights, 5)
    samples = Samples(
        weights @ real,
        np.zeros(len(weights), int),
        top,
        np.take_along_axis(weights, top, axis=1),
    )
    sampler = SimpleNamespace(
        points=real, rows={0: np.arange(len(real))}, used={0: weights.sum(axis=0)}
    )
    return spread.measure(sampler, samples, {0: "height", 1: "age"})[0]


def pairs(rng: np.random.Generator, m: int = M) -> np.ndarray:
    """Weights of SMOTE: two random rows, and a uniform place between them."""
    weights, at = np.zeros((m, N)), np.arange(m)
    gap = rng.random(m)
    weights[at, rng.integers(0, N, m)] += gap
    weights[at, rng.integers(0, N, m)] += 1 - gap
    return weights


@pytest.mark.parametrize("m", [20, 40, 200])
@pytest.mark.parametrize("seed", range(5))
def test_blends_of_random_rows_are_ok(m, seed):
    found = measured(pairs(np.random.default_rng(seed), m))
    assert found.verdict == "ok"
    if m == 200:
        assert found.ratio == pytest.approx(0.82, abs=0.12)


def test_weights_that_are_spread_evenly_are_narrow():
    found = measured(np.full((M, N), 1 / N))
    assert (found.verdict, found.half, found.near_copies) == ("narrow", N // 2, 0)
    assert found.effective == pytest.approx(N)
    assert found.ratio == pytest.approx(0, abs=1e-9)


def test_few_parents_are_narrow():
    rng = np.random.default_rng(0)
    weights = np.zeros((M, N))
    weights[:, [3, 20, 30, 35]] = rng.dirichlet(np.ones(4), M)
    found = measured(weights)
    assert found.verdict == "narrow" and found.half in (2, 3)
    assert str(found).startswith(f"narrow: half of the weight lies on {found.half} of")
    assert "the standard deviation of" in str(found)


def test_repeats_are_near_copies():
    weights = np.eye(N)[np.random.default_rng(0).integers(0, N, M)]
    found = measured(weights)
    assert (found.verdict, found.near_copies) == ("near copies", M)
    assert f"{M} of {M} rows are near copies" in str(found)


def test_few_rows_and_columns_without_values_are_not_judged():
    found = measured(np.full((spread.ROWS - 1, N), 1 / N))
    assert str(found) == "not judged: 19 generated rows; 20 are needed"
    flat = measured(pairs(np.random.default_rng(0)), np.full((N, 2), 1e9) + 0.1)
    assert flat.column == "" and np.isnan(flat.ratio) and flat.verdict == "ok"


def test_large_values_do_not_overflow():
    real = REAL * 1e306
    found = measured(pairs(np.random.default_rng(0)), real)
    usual = measured(pairs(np.random.default_rng(0)))
    assert found.ratio == pytest.approx(usual.ratio)
    assert found.real_deviation == pytest.approx(usual.real_deviation * 1e306)


def test_the_table_and_the_complaints():
    found = {
        2: measured(np.full((M, N), 1 / N)),
        0: measured(pairs(np.random.default_rng(0))),
    }
    table = spread.table(found, ["a", "b", ("c", 1)])
    assert table.index.tolist() == [("c", 1), "a"]
    assert table["verdict"].tolist() == ["narrow", "ok"]
    (line,) = spread.complaints(found, ["a", "b", ("c", 1)])
    assert line.startswith("generated rows of class ('c', 1) are narrow: half")
    assert len(spread.table({}, [])) == 0
