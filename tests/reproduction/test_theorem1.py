"""Theorem 1 in numbers."""

import numpy as np
import pytest

from reproduction import theorem1


def test_theorem_by_hand_on_two_classes():
    # P = (1/4, 3/4) on two points; the minority's generated mass is 1/2.
    A = theorem1.measures(
        np.array([0.25, 0.75]),
        np.array([[1.0, 0.0], [0.0, 1.0]]),
        np.array([[0.0, 1.0], [0.5, 0.5]]),
    )
    np.testing.assert_allclose(A, [[0.25, 0.5], [0.0, 0.75]])
    np.testing.assert_allclose(theorem1.optimum(A), [[1, 0.4], [0, 0.6]])
    # Each of the two classes: 0.5 log 0.4 + 0.75 log 0.6.
    expected = 2 * (0.5 * np.log(0.4) + 0.75 * np.log(0.6))
    best = theorem1.objective(A, theorem1.optimum(A))
    assert best == pytest.approx(expected)
    gap = best - 2 * theorem1.divergence(A)
    assert gap == pytest.approx(-(2**2) * 0.75 * np.log(2))


def test_the_search_knows_nothing_of_the_closed_form_and_ends_there():
    for A in theorem1.draw():
        found = theorem1.searched_optimum(A)
        np.testing.assert_allclose(found.sum(0), 1)
        np.testing.assert_allclose(found, theorem1.optimum(A), atol=1e-6)


def test_the_page_says_whether_it_holds(tmp_path, capsys):
    assert theorem1.write(tmp_path) == 0
    page = (tmp_path / "theorem1.md").read_text()
    assert "| 8 |" in page and "theorem1`: 8 random generators" in page
    assert "8 random generators" in capsys.readouterr().out
    assert theorem1.write(tmp_path, lambda A: np.full_like(A, 0.25)) == 1
