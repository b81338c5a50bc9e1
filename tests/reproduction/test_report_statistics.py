"""The words of the report follow from corrected tests, and from nothing else."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamo_tf.config.options import resolve
from gamo_tf.evaluation.metrics import METRICS
from gamo_tf.grids.paired_tests import SIGNIFICANT, Paired, holm, paired
from reproduction import report
from reproduction.report_statistics import comparisons, lines


def test_paired_differences_by_hand():
    # Differences 0.1, 0.2, 0.3: mean 0.2, deviation 0.1; t(0.975, 2) = 4.302653.
    found = paired({0: 0.5, 1: 0.6, 2: 0.7}, {2: 0.4, 1: 0.4, 0: 0.4, 9: 1.0})
    assert found.seeds == 3 and found.mean == pytest.approx(0.2)
    half = 4.302653 * 0.1 / math.sqrt(3)
    assert found.low == pytest.approx(0.2 - half, abs=1e-6)
    assert found.high == pytest.approx(0.2 + half, abs=1e-6)
    # t = 0.2 / (0.1 / sqrt 3) = sqrt 12; with two degrees of freedom
    # p = 1 - t / sqrt(2 + t^2) = 1 - sqrt(12 / 14).
    assert found.p == pytest.approx(1 - math.sqrt(12 / 14))
    # With one degree of freedom p = 1 - 2 / pi * atan(t); t = 0.2 / 0.1.
    two = paired({0: 0.5, 1: 0.7}, {0: 0.4, 1: 0.4})
    assert two.p == pytest.approx(1 - 2 / math.pi * math.atan(2))


def test_one_seed_is_not_tested():
    alone = paired({0: 0.4}, {0: 0.5})
    assert alone.seeds == 1 and alone.mean == pytest.approx(-0.1)
    assert all(map(math.isnan, (alone.low, alone.high, alone.p, alone.corrected)))
    assert alone.verdict == "one seed"
    assert paired({0: 0.4}, {1: 0.5}) is None


@pytest.mark.parametrize("gap", [0.0, 0.1, -0.1])
def test_differences_without_scatter_show_nothing(gap):
    """Two seeds may have the same difference by chance: t would be infinite."""
    found = paired({0: 0.5, 1: 0.7, 2: 0.3}, {0: 0.5 - gap, 1: 0.7 - gap, 2: 0.3 - gap})
    assert found.p == 1 and found.mean == pytest.approx(gap)
    corrected = holm({("cn", "ls"): found})["cn", "ls"]
    assert corrected.verdict == "no difference shown"


def table(*values: float) -> dict[tuple[str, str], Paired]:
    """Comparisons of three seeds with these p values; NaN: of one seed."""
    return {
        (f"method {k}", "ls"): Paired(1 if math.isnan(p) else 3, 0.1, p=p)
        for k, p in enumerate(values)
    }


def corrected(*values: float) -> list[float]:
    return [pair.corrected for pair in holm(table(*values)).values()]


def test_holm_by_hand():
    # In order 0.005, 0.01, 0.03, 0.04, times 4, 3, 2, 1; none below the one before it:
    # 0.02, 0.03, 0.06, and 0.04 becomes 0.06.
    assert corrected(0.01, 0.04, 0.03, 0.005) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert corrected(0.6, 0.7) == pytest.approx([1, 1])  # 1.2 is no probability
    assert corrected(0.03) == pytest.approx([0.03])
    assert holm({}) == {}


def test_one_seed_does_not_count_among_the_comparisons():
    # Of three comparisons two are tested: 0.02 times 2, not times 3.
    found = corrected(0.02, math.nan, 0.5)
    assert found == pytest.approx([0.04, math.nan, 0.5], nan_ok=True)
    words = [pair.verdict for pair in holm(table(0.02, math.nan, 0.5)).values()]
    assert words == ["ahead", "one seed", "no difference shown"]


def test_a_raw_p_value_of_three_hundredths_is_not_enough_beside_another():
    alone, beside = holm(table(0.03)), holm(table(0.03, 0.4))
    assert alone["method 0", "ls"].verdict == "ahead"
    assert beside["method 0", "ls"].corrected == pytest.approx(0.06)
    assert beside["method 0", "ls"].verdict == "no difference shown"


def test_without_a_correction_there_is_no_word():
    sure = paired({0: 0.5, 1: 0.6, 2: 0.7}, {0: 0.4, 1: 0.5001, 2: 0.6001})
    assert sure.p < 0.001 and sure.verdict == "no difference shown"
    assert holm({("cn", "ls"): sure})["cn", "ls"].verdict == "ahead"
    other = sure._replace(mean=-sure.mean)
    assert holm({("cn", "ls"): other})["cn", "ls"].verdict == "behind"


accuracies = st.lists(st.integers(0, 60).map(lambda k: k / 100), min_size=1, max_size=4)


@settings(max_examples=25)
@given(ours=accuracies, others=st.lists(accuracies, min_size=1, max_size=6))
def test_words_need_a_corrected_p_value_below_the_level(ours, others):
    mine = dict(enumerate(ours))
    pairs = {
        (f"method {k}", "ls"): paired(mine, dict(enumerate(other)))
        for k, other in enumerate(others)
    }
    found = holm(pairs)
    assert list(found) == list(pairs)
    tested = sum(pair.seeds > 1 for pair in pairs.values())
    for key, pair in found.items():
        p = pairs[key].p
        if pair.seeds < 2:
            assert pair.verdict == "one seed" and math.isnan(pair.corrected)
            continue
        # Between the p value itself and Bonferroni's, which multiplies all alike.
        assert p <= pair.corrected + 1e-12 and pair.corrected <= min(
            1, p * tested + 1e-12
        )
        assert (pair.verdict in ("ahead", "behind")) == (pair.corrected < SIGNIFICANT)
        if pair.verdict == "ahead":
            assert pair.low > 0
        elif pair.verdict == "behind":
            assert pair.high < 0


def runs(method: str, values: dict[int, tuple[float, float | None]]) -> dict:
    """Results on digits by seed: of raw weights, and of averaged ones."""
    chosen = {"dataset": "digits", "method": method}
    return {resolve({**chosen, "seed": k}): both for k, both in values.items()}


def test_a_table_is_corrected_over_its_methods_and_metrics_together(store_of):
    """Raw: two alternatives by two metrics are tested; averaged: one alternative, with
    two seeds. The tables of raw and of averaged weights are apart."""
    made = runs("gamo", {0: (0.50, 0.60), 1: (0.61, 0.72), 2: (0.70, None)})
    made |= runs("cn", {0: (0.45, 0.50), 1: (0.55, 0.60), 2: (0.64, 0.9)})
    made |= runs("ros", {0: (0.40, None), 1: (0.70, 0.70), 2: (0.60, None)})
    made |= runs("cdcgan", {0: (0.30, None)})
    found = lines(store_of(made))
    raw, averaged = comparisons(found, ""), comparisons(found, "EMA")
    assert list(raw) == [("cn", "ls"), ("ros", "ls"), ("cdcgan", "ls")]
    for metric in METRICS:
        cn = raw["cn", "ls"][metric.name]
        # Gaps 0.05, 0.06, 0.06: t = 17; p = 1 - 17 / sqrt(2 + 17^2) = 0.00344.
        p = 1 - 17 / math.sqrt(2 + 17**2)
        assert (cn.seeds, cn.verdict) == (3, "ahead")
        # The smallest of four p values; both metrics have the same values here.
        assert cn.corrected == pytest.approx(4 * p)
        other = raw["ros", "ls"][metric.name]
        # The next ones are multiplied by 2, which makes 1 of p above 0.5.
        assert other.p > 0.5 and other.corrected == 1
        assert raw["cdcgan", "ls"][metric.name].verdict == "one seed"
        # Averaged, gaps 0.1 and 0.12: p = 1 - 2 / pi * atan(11), of two tests.
        p = 1 - 2 / math.pi * math.atan(11)
        cn = averaged["cn", "ls"][metric.name]
        assert cn.seeds == 2 and cn.corrected == pytest.approx(2 * p)
        assert averaged["ros", "ls"][metric.name].verdict == "one seed"
    assert ("cdcgan", "ls") not in averaged


def test_the_other_metric_counts_among_the_comparisons(store_of):
    """A difference by one metric that is enough by itself, and not beside another."""
    made = runs("gamo", {0: (0.50, None), 1: (0.61, None), 2: (0.70, None)})
    made |= runs("cn", {0: (0.45, None), 1: (0.50, None), 2: (0.60, None)})
    found = lines(store_of(made))
    # GM, gaps 0, -0.1, 0.1: p = 1.
    gm = {"gamo": [0.4, 0.5, 0.6], "cn": [0.4, 0.6, 0.5]}
    each = zip(found["variant"], found["seed"], strict=True)
    found["gm"] = [gm[method][seed] for method, seed in each]
    by_metric = comparisons(found, "")["cn", "ls"]
    # ACSA, gaps 0.05, 0.11, 0.10: t = 4.67; p = 1 - t / sqrt(2 + t^2) = 0.04287.
    assert SIGNIFICANT / 2 < by_metric["acsa"].p < SIGNIFICANT
    assert by_metric["acsa"].corrected == pytest.approx(2 * by_metric["acsa"].p)
    assert by_metric["acsa"].verdict == "no difference shown"
    assert by_metric["gm"].p == pytest.approx(1)


def test_no_table_without_gamo_or_without_another_method(store_of):
    alone = runs("gamo", {0: (0.5, None), 1: (0.6, None)})
    assert report.comparison(lines(store_of(alone))) == []
    others = runs("cn", {0: (0.5, None)}) | runs("ros", {0: (0.6, None)})
    assert report.comparison(lines(store_of(others))) == []
    apart = alone | runs("cn", {7: (0.5, None)})
    assert report.comparison(lines(store_of(apart))) == []


def test_each_metric_has_a_column_for_the_corrected_p_value(store_of):
    made = runs("gamo", {0: (0.50, None), 1: (0.61, None), 2: (0.70, None)})
    made |= runs("cn", {0: (0.45, None), 1: (0.55, None), 2: (0.64, None)})
    text, compared = report.comparison(lines(store_of(made)))
    assert "Holm's correction, which is over all comparisons of this table" in text.text
    assert "two seeds or more, ACSA and GM together" in text.text
    each = [[metric.title, "corrected p", "GAMO is"] for metric in METRICS]
    assert compared.head == ["against", "seeds", *np.concatenate(each)]
    # p = 0.00344, of two tests.
    cells = ["+0.057 (+0.042 to +0.071)", "0.007", "ahead"] * len(METRICS)
    assert compared.lines == [["cn", "3", *cells]]
