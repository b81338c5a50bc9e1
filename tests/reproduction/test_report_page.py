"""The report: the page and its pictures."""

import json

import numpy as np
import pytest
from PIL import Image

from gamo_tf.config.options import resolve
from gamo_tf.errors import UserError, command, speaking_to
from reproduction import report, report_statistics, report_words
from reproduction.report_statistics import variant


def test_settings_that_are_not_the_default_are_named():
    assert variant(resolve({"dataset": "digits", "seed": 3, "ema": 0.9})) == "gamo"
    odd = resolve({"dataset": "digits", "generator_update": "per-class"})
    assert variant(odd) == "gamo, generator-update per-class"


def digits(method: str = "gamo", seed: int = 0, **chosen):
    return resolve({"dataset": "digits", "method": method, "seed": seed, **chosen})


@pytest.fixture
def store(store_of):
    """Two seeds of GAMO and CN, one of a GAN, and GAMO with other class sizes."""
    runs = {digits("cn", seed): (0.3 + seed / 10, 0.5) for seed in (0, 1)}
    runs |= {digits(seed=seed): (0.4 + seed / 10 + seed / 1e6, None) for seed in (0, 1)}
    runs[digits("cdcgan")] = (0.9, None)
    runs[digits(counts=(50,) + (9,) * 9)] = (0.7, None)
    return store_of(runs)


def test_only_what_is_alike_is_compared(store):
    groups = report_statistics.lines(store)["group"].unique()
    assert len(groups) == 2 and {group[2] for group in groups} == {40}


def test_classes_of_each_seeds_own_are_one_group(store_of):
    chosen = {"dataset": "sun397", "data": "/d", "shape": (64, 64, 3)}
    runs = {
        resolve({**chosen, "classes": ("a", "b"), "counts": n, "seed": seed}): (
            0.5,
            None,
        )
        for seed, n in enumerate([(9, 4), (8, 3)])
    }
    found = report_statistics.lines(store_of(runs))
    assert set(found["group"]) == {("sun397", (), 40)}
    # Nothing can be drawn by class: there is one picture.
    page = report.section(found, ("sun397", (), 40))
    assert sum(hasattr(block, "pixels") for block in page) == 1


def test_the_page(store, tmp_path, capsys):
    assert report.write(store, [], tmp_path, "the command") == 0
    assert "written: " in capsys.readouterr().out
    text, page = (
        (tmp_path / name).read_text() for name in ("results.md", "index.html")
    )
    assert "`the command`. This page was made on" in text
    section = text.split("## digits, 40 updates of M\n")[1]
    # The best on the full test set comes first; the GAN's training is told apart.
    order = [line.split(" | ")[0] for line in section.splitlines() if " | " in line]
    assert order[2:5] == ["| cdcgan", "| gamo", "| cn"]
    assert "| 12 (+4) |" in text
    assert "| cn | 2 |  | 0.350±0.071 / 0.350±0.071 |" in text
    ahead = "| cn | 2 | +0.100 (+0.100 to +0.100) | <0.001 | ahead |"
    assert ahead in text and "| cdcgan | 1 | -0.500 |  | one seed |" in text
    for written in (text, page):
        assert "How to read the comparisons. A seed decides" in written
        assert "Holm&#x27;s correction" in written or "Holm's correction" in written
    assert "digits, 40 updates of M, 50/9/9/9/9/9/9/9/9/9 images" in text
    assert page.count("data:image/png;base64,") == 4 and "http" not in page
    for written in (text, page):  # contents, a summary, and what the names mean
        assert "digits-40-updates-of-m" in written
        assert "elsewhere it is called balanced accuracy" in written
        assert "the mean of the recalls of all classes" in written
        assert "plain classifier (Baseline CN)" in written
        assert "none of 2 corrected tests" not in written
    assert '<a href="#digits-40-updates-of-m">digits, 40 updates of M</a>' in page
    assert '<h2 id="digits-40-updates-of-m">' in page
    said = text.split("## In words\n")[1].split("## ")[0]
    assert (
        "- digits, 40 updates of M: `gamo` ACSA 0.450, GM 0.450 (2 seeds) has the "
        "highest mean GM of those with several seeds. With raw weights, GAMO is ahead "
        "of `cn` by ACSA and GM." in said
    )
    assert "images: `gamo` ACSA 0.700, GM 0.700 (one seed) has the highest" in said
    assert "there is nothing to test GAMO by" in said


def test_verdicts_that_are_alike_are_said_together(store_of, tmp_path):
    means = {"gamo": 0.4, "cn": 0.3, "ros": 0.2, "smote": 0.5}
    runs = {
        digits(method, seed): (mean + seed / 10 + (method == "gamo") * seed / 1e6, None)
        for method, mean in means.items()
        for seed in (0, 1)
    }
    report.write(store_of(runs), [], tmp_path, "")
    text = (tmp_path / "results.md").read_text()
    line = text.split("## In words\n\n- ")[1].split("\n")[0]
    assert line.endswith(
        "With raw weights, GAMO is ahead of `cn`, `ros` by ACSA and GM; behind `smote` "
        "by ACSA and GM."
    )


def test_where_the_runs_are_from():
    versions = {"tensorflow": "2.21.0", "python": "3.11.7"}
    results = [
        {"date": "2026-11-24", "versions": versions},
        {"date": "2026-11-28", "versions": versions},
        {},  # of a version that kept neither
    ]
    said = report_words.origins([(digits(), result) for result in results])
    assert "of 3 runs from 2026-11-24 to 2026-11-28, with " in said
    assert said.endswith("tensorflow 2.21.0, python 3.11.7.")
    assert report_words.origins([(digits(), {})]).endswith("of 1 runs.")


def test_pictures_of_the_page(store, tmp_path):
    report.write(store, [], tmp_path, "")
    for name in ("digits-40", "digits-40-recall", "digits-40-50-recall"):
        picture = np.asarray(Image.open(tmp_path / f"{name}.png"))
        assert picture.ndim == 3 and picture.std() > 10


def test_cells_say_how_many_seeds_they_stand_on(store_of, tmp_path):
    """Three seeds, of which two kept averaged weights; and one method with none."""
    ema = {0: None, 1: 0.6, 2: 0.7}
    runs = {
        digits(seed=seed, ema=0.9 if kept else 0.0): (0.5 + seed / 10, kept)
        for seed, kept in ema.items()
    }
    runs[digits("cn")] = (0.3, None)
    report.write(store_of(runs), [], tmp_path, "")
    text, page = (
        (tmp_path / name).read_text() for name in ("results.md", "index.html")
    )
    raw, averaged = "0.600±0.100 / 0.600±0.100", "0.650±0.071 / 0.650±0.071 (2)"
    assert f"| gamo | 3 |  | {raw} | {raw} | {averaged} | 12 |" in text
    assert "| cn | 1 |  | 0.300 / 0.300 | 0.300 / 0.300 |  | 12 |" in text
    cells = f"<td>{raw}</td><td>{averaged}</td>".replace(" ", "\u00a0")
    assert cells in page  # figures stay on one line


def test_a_seed_that_was_run_twice_counts_once(store_of):
    runs = {digits(): (0.4, None), digits(ema=0.9): (0.6, 0.5)}
    runs[digits(seed=1)] = (0.8, None)
    table = report.score_table(report_statistics.lines(store_of(runs)), "digits")
    mean = "0.700±0.141 / 0.700±0.141"
    assert table.lines == [
        ["gamo", "2", "", mean, mean, "0.500 / 0.500 (1)", "12"],
    ]


def test_a_metric_that_older_runs_lack_has_a_number_of_its_own(store_of):
    runs = {digits(seed=seed): (0.5, None) for seed in range(3)}
    runs |= {digits("cn", seed): (0.4 + seed / 100, None) for seed in range(3)}
    found = report_statistics.lines(store_of(runs))
    found.loc[found["seed"] == 0, "acsa"] = np.nan
    table = report.score_table(found, "digits")
    assert table.lines[0][:2] == ["gamo", "3"]
    assert table.lines[0][3] == "0.500±0.000 / 0.500±0.000 (2 / 3)"
    (_, compared) = report.comparison(found)
    assert compared.lines[0][:2] == ["cn", "2 / 3"]


def test_lines_of_the_pictures(store):
    found = report_statistics.lines(store)
    mine = found[found["group"] == found["group"].iloc[0]]
    scores = report_statistics.method_scores(mine)
    assert [line.label for line in scores] == ["cn", "gamo", "cdcgan"]
    assert [line.bold for line in scores] == [False, True, False]
    averaged = scores[0].spreads["EMA", "gm"]
    assert averaged.mean == pytest.approx(0.5) and averaged.low is None  # no scatter
    assert len(averaged.values) == 2 and scores[0].seeds == "2 seeds"
    assert scores[2].spreads["", "acsa"].low is None and scores[2].seeds == "1 seed"
    recalls = report_statistics.method_recalls(mine, np.arange(10)[::-1])
    assert [method.color for method in recalls] == [0, 1, None]
    np.testing.assert_allclose(recalls[1].recalls.mean(axis=0), 0.35)
    assert recalls[1].recalls.shape == (2, 10) and recalls[2].recalls.shape == (1, 10)


def test_an_interval_of_three_seeds_by_hand():
    found = report_statistics.spread(np.array([0.4, 0.5, 0.6]))
    half = 4.302653 * 0.1 / np.sqrt(3)  # Student's t with two degrees of freedom
    assert (found.low, found.high) == pytest.approx((0.5 - half, 0.5 + half))
    assert report_statistics.spread(np.array([0.5])).high is None


def test_unfinished_and_damaged_runs_are_left_out(store, digits_run, tmp_path, capsys):
    half = tmp_path / "runs" / "00007-digits-ros-ls"
    half.mkdir(parents=True)
    (half / "options.json").write_text(json.dumps(digits("ros").to_json()))
    broken = tmp_path / "runs" / "00008-digits-cn-ls"
    broken.mkdir()
    (broken / "options.json").write_text("{")
    folders = [half.parent, digits_run.path.parent, tmp_path / "nowhere"]
    before = len(store)
    with speaking_to("scripts"):
        assert report.gather(store, folders) == 2
        go_on = command("train", "--resume", half)
    printed = capsys.readouterr().out
    assert f"{half}: not finished, left out. Go on with: {go_on}" in printed
    assert "options.json: cannot be read" in printed
    assert len(store) == before + 1


def test_nothing_to_report(store_of, tmp_path):
    with pytest.raises(UserError, match="nowhere: no finished run"):
        report.write(store_of({}), [tmp_path / "nowhere"], tmp_path, "")
