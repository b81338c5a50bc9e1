"""What a comparison says, from records that are made by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gamo_tf.comparison import answer, evidence
from gamo_tf.comparison.job import Job
from gamo_tf.comparison.overview import minority_recall, overview, smaller_half
from gamo_tf.errors import UserError
from gamo_tf.experiments.paired_tests import mean_interval, paired
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
    assert found.chosen == "ros" and answer.recommended(found) == "ros"
    said = answer.sentences(found, "seeds")
    assert said[0].startswith(
        "Use ros (random oversampling + CN): balanced accuracy 0.75"
    )
    assert "over 5 seeds" in said[0]
    assert said[1].startswith("ros is ahead of gamo (+0.05")
    assert "cn (+0.15" in said[1] and "corrected p below 0.001" in said[1]
    assert said[-1] == (
        "The test sets hold 5 to 60 rows a class, so that the recall of l|ynx & co is "
        "uncertain by 0.3."
    )


def test_where_nothing_helps_the_plain_classifier_stays(tmp_path):
    methods = {
        "cn": around(0.7, *NOISE),
        "ros": around(0.705, -0.02, 0.02, 0.01, -0.01, 0.0),
    }
    found = evidence.collect(jobs(tmp_path, methods), splits_anew=False)
    assert found.chosen == "ros" and answer.recommended(found) == "cn"
    said = answer.sentences(found, "seeds")
    assert said[0].startswith("Nothing here is shown to help: keep the plain")
    assert "may be chance" in said[1] and "+0.005" in said[1]
    # And where validation rows choose the plain one, no word of another.
    validation = {"cn": 0.9, "ros": 0.8}
    other = jobs(tmp_path / "other", methods, validation)
    said = answer.sentences(evidence.collect(other, splits_anew=False), "seeds")
    assert "which is best on validation rows" in said[0]
    assert said[1].startswith("No difference is shown between cn and ros")


def test_choices_are_made_on_validation_rows_and_test_rows_may_contradict(tmp_path):
    methods = {
        "class-weight": around(0.6, *NOISE),
        "ros": around(0.7, 0.021, -0.01, 0.0, 0.01, -0.02),
    }
    validation = {"class-weight": 0.9, "ros": 0.8}
    found = evidence.collect(jobs(tmp_path, methods, validation), splits_anew=False)
    said = answer.sentences(found, "seeds")
    assert said[0].startswith("Use class-weight")
    assert said[1].startswith("On test rows class-weight is behind ros (-0.10")
    assert [line.method for line in found.lines] == ["ros", "class-weight"]


def test_one_seed_tests_nothing_and_missing_trainings_are_told(tmp_path):
    some = jobs(tmp_path, {"cn": [0.6], "ros": [0.9]})
    some.append(Job("gamo", 0, tmp_path / "gamo-0"))
    found = evidence.collect(some, splits_anew=True)
    said = answer.sentences(found, "splits")
    assert answer.recommended(found) == "cn"  # one seed shows nothing
    assert "One seed tests nothing: give more seeds." in said
    assert "Trainings that are still missing: 1." in said
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
    said = answer.sentences(found, "seeds")
    paths = answer.write(
        tmp_path, found, said, "gamo train --method ros", "gamo compare"
    )
    text, _, latex, machine, page = (path.read_text() for path in paths)
    assert text.splitlines() == [*said, "Train it: gamo train --method ros"]
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
