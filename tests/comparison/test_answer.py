"""What a comparison says, from records that are made by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gamo_tf.comparison import answer, evidence, words
from gamo_tf.comparison.job import Job
from gamo_tf.comparison.overview import minority_recall, overview, smaller_half
from gamo_tf.comparison.power import splits_needed
from gamo_tf.errors import UserError
from gamo_tf.grids.paired_tests import Paired, mean_interval, paired
from gamo_tf.stored import write_json

CLASSES = ["cat", "dog", "l|ynx & co"]
ROWS = [60, 30, 5]


def jobs(folder: Path, methods: dict[str, list[float]], validation: dict | None = None):
    """A comparison in which a method had these balanced accuracies, by seed."""
    found = []
    for method, values in methods.items():
        for seed, value in enumerate(values):
            job = Job(method, seed, folder / f"{method}-{seed}")
            job.folder.mkdir(parents=True)
            recall = [value, value, value]
            measured = {"acsa": value, "gm": value, "recall": recall, "rows": ROWS}
            watched = {**measured, "acsa": (validation or {}).get(method, value)}
            record = {
                **{"method": method, "seed": seed, "classes": CLASSES},
                **{"counts": [240, 120, 20], "averaged": True, "seconds": 2.0},
                **{"validation": watched, "test_full": measured, "mebibytes": 512},
                **{"versions": {"numpy": "2"}, "date": f"2026-11-2{seed}"},
            }
            write_json(job.file, record)
            found.append(job)
    return found


def around(mean: float, *offsets: float) -> list[float]:
    return [mean + offset for offset in offsets]


NOISE = (0.02, -0.01, 0.0, 0.01, -0.02)


def test_a_method_that_helps_is_to_be_used(tmp_path):
    methods = {
        "cn": around(0.6, *NOISE),
        # A hair apart from seed to seed, so that there is a scatter to measure by.
        "ros": around(0.75, 0.023, -0.009, 0.001, 0.011, -0.019),
        "gamo": around(0.7, 0.021, -0.012, 0.0, 0.011, -0.02),
    }
    found = evidence.collect(jobs(tmp_path, methods), splits_anew=False)
    assert found.chosen == "ros" and words.recommended(found) == "ros"
    said = words.sentences(found, "seeds")
    assert said[0].startswith(
        "Use ros (random oversampling + CN): balanced accuracy 0.75"
    )
    assert "mean of 5 seeds" in said[0]
    assert said[1].startswith("It is 0.151 above cn (p < 0.001)")
    assert said[2].startswith("On test data ros is significantly better than gamo (+")
    assert said[-1] == (
        "Each test set has 5 to 60 samples a class. The recall of l|ynx & co is "
        "uncertain by up to 0.3."
    )
    verdicts = [answer.verdict(found, line) for line in found.lines]
    better = "ros is significantly better"
    assert verdicts == ["best on validation data", better, better]


def test_what_is_not_significant_is_undecided_and_says_what_would_decide(tmp_path):
    methods = {
        "cn": around(0.7, *NOISE),
        "ros": around(0.73, -0.02, 0.02, 0.01, -0.01, 0.0),
    }
    found = evidence.collect(jobs(tmp_path, methods), splits_anew=False)
    assert found.chosen == "ros" and words.recommended(found) == "cn"
    assert words.decision(found) == "undecided"
    said = words.sentences(found, "splits")
    assert said[0] == (
        "Undecided: ros is not significantly better than the plain classifier (cn)."
    )
    assert said[1].startswith("ros (random oversampling + CN) leads: balanced acc")
    assert "0.030 above cn, not significant (p = 0.0" in said[1]
    assert said[2].startswith("To decide, run about ")
    assert said[3] == "Until then, keep the plain classifier (cn)."
    assert not any(word in " ".join(said) for word in ("ahead", "behind", "chance"))
    assert answer.verdict(found, found.lines[1]) == "no significant difference"
    # Where every split shares the samples, no number of splits would do.
    shared = evidence.collect(found_jobs(tmp_path, methods), splits_anew=True)
    shared = replace(shared, overlap=10.0)
    assert "will hardly decide it" in words.sentences(shared, "splits")[2]


def found_jobs(folder: Path, methods: dict) -> list[Job]:
    return [
        Job(method, seed, folder / f"{method}-{seed}")
        for method, values in methods.items()
        for seed in range(len(values))
    ]


def test_the_plain_classifier_stays_where_none_leads(tmp_path):
    methods = {
        "cn": around(0.7, *NOISE),
        "ros": around(0.69, -0.02, 0.02, 0.01, -0.01, 0.0),
    }
    validation = {"cn": 0.8, "ros": 0.9}
    found = evidence.collect(jobs(tmp_path, methods, validation), splits_anew=False)
    assert words.decision(found) == "keep"
    said = words.sentences(found, "splits")
    assert said[0].startswith("Keep the plain classifier (cn): balanced accuracy 0.70")
    assert said[1].startswith("ros scored highest on validation data; on test data it")
    assert "0.010 below cn, not significant (p = 0." in said[1]
    # And where the plain one is best on validation data, no word of another.
    other = jobs(tmp_path / "other", methods, {"cn": 0.9, "ros": 0.8})
    said = words.sentences(evidence.collect(other, splits_anew=False), "splits")
    assert said[1] == "It scored highest on validation data."
    assert said[2].startswith("No significant difference between cn and ros (+0.010")


@pytest.mark.parametrize(("mean", "overlap"), [(0.03, 0.0), (0.06, 0.1), (0.1, 0.3)])
def test_splits_needed_reach_the_power_that_they_promise(mean, overlap):
    """By simulation: differences as observed are found in 80 of 100 comparisons."""
    rng = np.random.default_rng(0)
    deviation, tests = 0.04, 4
    values = np.array([mean - deviation, mean, mean + deviation])
    _, low, high, _ = mean_interval(values, overlap)
    n = splits_needed(Paired(3, mean, low, high), overlap, tests)
    assert n is not None
    shared = rng.normal(0, np.sqrt(overlap) * deviation, 4000)
    each = rng.normal(mean, deviation, (4000, n))
    means = each.mean(axis=1) + shared
    errors = each.std(axis=1, ddof=1) * np.sqrt(1 / n + overlap)
    found = means / errors > stats.t.ppf(1 - 0.05 / tests / 2, n - 1)
    assert 0.77 < found.mean() < 0.97  # the next smaller number may be far below
    assert splits_needed(Paired(3, 0.0001, low, high), overlap, tests) is None


def test_classes_that_are_never_tested_are_named(tmp_path):
    found = evidence.collect(jobs(tmp_path, {"cn": [0.8, 0.8]}), splits_anew=True)
    tiny = replace(found, rows=[60, 1, 0], validation_rows=[60, 0, 0])
    said = " ".join(words.sentences(tiny, "splits"))
    assert "Never tested, because a split leaves no test sample: l|ynx & co." in said
    assert "Without a validation sample, so not part of the choice: dog." in said


def test_choices_are_made_on_validation_rows_and_test_rows_may_contradict(tmp_path):
    methods = {
        "class-weight": around(0.6, *NOISE),
        "ros": around(0.7, 0.021, -0.01, 0.0, 0.01, -0.02),
    }
    validation = {"class-weight": 0.9, "ros": 0.8}
    found = evidence.collect(jobs(tmp_path, methods, validation), splits_anew=False)
    said = words.sentences(found, "seeds")
    assert said[0].startswith("Use class-weight")
    behind = "On test data class-weight is significantly worse than ros (-0.10"
    assert said[2].startswith(behind)
    assert [line.method for line in found.lines] == ["ros", "class-weight"]


def test_one_seed_tests_nothing_and_missing_trainings_are_told(tmp_path):
    some = jobs(tmp_path, {"cn": [0.6], "ros": [0.9]})
    some.append(Job("gamo", 0, tmp_path / "gamo-0"))
    found = evidence.collect(some, splits_anew=True)
    said = words.sentences(found, "splits")
    assert words.recommended(found) == "cn"  # one seed shows nothing
    assert "One split tests nothing. To decide, give seeds 5." in said
    assert "Missing trainings: 1. The same command trains them." in said
    with pytest.raises(UserError, match="no training"):
        evidence.collect([Job("gamo", 0, tmp_path / "gamo-0")], splits_anew=True)


def test_splits_that_overlap_widen_every_interval(tmp_path):
    # By hand: variance of the mean is (1 / 4 + 95 / 380) s^2, s^2 = 0.0005 / 3.
    values = np.array([0.61, 0.60, 0.59, 0.60])
    mean = mean_interval(values, 0.25)
    variance = (0.25 + 0.25) * 0.0002 / 3
    assert mean.error == pytest.approx(np.sqrt(variance))
    reach = stats.t.ppf(0.975, 3) * np.sqrt(variance)
    assert (mean.low, mean.high) == pytest.approx((0.6 - reach, 0.6 + reach))
    apart = evidence.collect(jobs(tmp_path, {"cn": list(values)}), splits_anew=True)
    assert apart.overlap == pytest.approx(0.25)
    assert apart.lines[0].metrics["acsa"].low == pytest.approx(mean.low)
    # Without overlap it is Student's paired test.
    one, two = {0: 0.5, 1: 0.6, 2: 0.55}, {0: 0.45, 1: 0.5, 2: 0.52}
    found = paired(one, two)
    test = stats.ttest_rel(list(one.values()), list(two.values()))
    assert found.p == pytest.approx(test.pvalue)
    assert paired(one, two, 0.25).p > found.p


def test_recall_has_wilsons_interval_for_one_test_set(tmp_path):
    found = evidence.collect(jobs(tmp_path, {"cn": [0.8, 0.8]}), splits_anew=False)
    rare = found.lines[0].recalls[2]  # 4 of 5
    z = stats.norm.ppf(0.975)
    middle = (0.8 + z * z / 10) / (1 + z * z / 5)
    half = z / (1 + z * z / 5) * np.sqrt(0.8 * 0.2 / 5 + z * z / 100)
    assert (rare.low, rare.high) == pytest.approx((middle - half, middle + half))
    assert evidence.uncertain(found, "cn") == [2, 1, 0]


def test_every_file_says_the_same(tmp_path):
    methods = {"cn": around(0.6, *NOISE), "ros": around(0.75, *NOISE[::-1])}
    found = evidence.collect(jobs(tmp_path, methods), splits_anew=False)
    said = words.sentences(found, "seeds")
    then = answer.Training("gamo train --method ros", "It trains longer.")
    paths = answer.write(tmp_path, found, said, then, "gamo compare")
    text, _, latex, machine, page = (path.read_text() for path in paths)
    assert text.splitlines() == [
        *said,
        "Train it: gamo train --method ros",
        "It trains longer.",
    ]
    numbers = pd.read_csv(paths[1])
    assert numbers["method"].tolist() == ["ros", "cn"]
    assert numbers["acsa"].tolist() == pytest.approx([0.75, 0.6])
    assert numbers["recall/cat"].tolist() == pytest.approx([0.75, 0.6])
    assert r"\begin{tabular}" in latex and latex.count(r"\\") == 3
    for content in (machine, page):
        assert '"use": "ros"' in content or "Use ros" in content
    assert "l|ynx &amp; co" in page and "Wilson" in page


def test_damaged_and_foreign_records_are_refused(tmp_path):
    job, other = jobs(tmp_path, {"cn": [0.6], "ros": [0.7]})
    text = job.file.read_text()
    job.file.write_text(text.replace("0.6", "0.9"))
    with pytest.raises(UserError, match="is not as it was written"):
        job.read()
    job.file.write_text(other.file.read_text())
    with pytest.raises(UserError, match="of another method or seed"):
        job.read()


def test_the_screen_shows_the_recall_of_the_smaller_classes(tmp_path):
    made = jobs(tmp_path, {"cn": [0.5, 0.7], "ros": [0.8, 0.9]})
    found = evidence.collect(made, splits_anew=False)
    assert smaller_half(found) == [2]  # of three classes with 240, 120 and 20 rows
    head, first, second, names = overview(found)
    assert first.split() == ["ros", "0.850", "0.850", "2"]
    assert second.split()[:3] == ["cn", "0.600", "0.600"]
    assert head.index("balanced") < head.index("smaller")
    assert names.startswith("smaller classes: l|ynx")


def test_of_equal_classes_the_later_half_counts_as_the_smaller(tmp_path):
    found = evidence.collect(jobs(tmp_path, {"cn": [0.5]}), splits_anew=False)
    equal = replace(found, counts=[9, 9, 9], lines=[found.lines[0]])
    assert smaller_half(equal) == [2]
    none = replace(found.lines[0], recalls=[None, None, None])
    assert np.isnan(minority_recall(equal, none))
