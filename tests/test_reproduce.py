"""reproduce.py's tables: what is run, what is kept, what is written."""

import json
import math
from pathlib import Path

import pandas as pd
import pytest

import reproduce
from gamo_tf import pages, paper, report, tables
from gamo_tf.errors import UserError
from gamo_tf.options import resolve
from gamo_tf.records import Records

TOY = {
    ("digits", "ls", "test"): {
        "cn": paper.Reported(0.12, 0.01, 0.11, 0.01),
        "gamo": paper.Reported(0.34, 0.01, 0.33, 0.01),
    }
}


@pytest.fixture
def toy(monkeypatch, tmp_path):
    monkeypatch.setitem(paper.TABLES, "table2", TOY)
    monkeypatch.setattr(reproduce, "QUICK_UPDATES", 40)
    where = ["--runs-dir", str(tmp_path / "runs"), "--out", str(tmp_path / "out")]
    return [*where, "--data-dir", str(tmp_path)]


def never(*args, **kwargs):
    raise AssertionError("a finished run was begun again")


def test_the_papers_figures_as_printed():
    mnist = paper.TABLES["table1"]["mnist", "ls", "test"]
    assert mnist["gamo"] == (0.91, 0.01, 0.90, 0.01)
    assert mnist["cg-d"] == (0.85, 0.02, 0.82, 0.02)
    assert paper.TABLES["table3"]["lsun-large", "ls", "test"]["gamo"].gm == 0.68
    assert paper.FID["celeba-small"]["cdcgan"] == (15.12, 0.05)
    for table in paper.TABLES.values():
        for reported in table.values():
            assert all(0 <= r.gm <= r.acsa <= 1 for r in reported.values())


def test_quick_table_and_report(toy, tmp_path, capsys, monkeypatch):
    """The runs, the table, the report; and nothing twice, though the runs are gone."""
    runs, out = tmp_path / "runs", tmp_path / "out"
    asked = ["table2", "--quick", "--ema", "0.9", *toy]
    assert reproduce.main(asked) == 0
    sheet = pd.read_csv(out / "table2.csv", keep_default_na=False)
    # 2 methods, raw and averaged, 3 sets; the same updates of M.
    assert len(sheet) == 12 and set(sheet["m_updates"]) == {40}
    shown = (out / "table2.md").read_text()
    assert "0.34±0.01 / 0.33±0.01" in shown and "gamo (EMA)" in shown
    assert "digits, LS, 40 updates of M" in shown
    kept = {row["options"]["method"]: row for _, row in Records(out / "runs.jsonl")}
    for method in ("cn", "gamo"):
        path = next(runs.glob(f"*{method}-ls/results.json"))
        results = json.loads(path.read_text())
        raw = sheet[(sheet["method"] == method) & (sheet["weights"] == "")]
        full = raw[raw["set"] == "test_full"].iloc[0]
        for key in ("acsa", "gm"):
            assert full[key] == pytest.approx(results["test_full"][key], abs=1e-6)
        assert f"{results['test']['acsa']:.3f} / {results['test']['gm']:.3f}" in shown
        for source, found in (
            (kept[method], results),
            *[(kept[method]["ema"], results["ema"])],
        ):
            recall = found["train"]["recall"]
            assert source["train"]["recall"] == pytest.approx(recall, abs=1e-6)

    monkeypatch.setattr(tables.subprocess, "run", never)
    runs.rename(tmp_path / "elsewhere")
    assert reproduce.main(asked) == 0
    assert "2 of 2 runs are known from" in capsys.readouterr().out
    assert (out / "table2.md").read_text() == shown

    more = [*asked, "--methods", "cn", "ros"]
    assert reproduce.main([*more, "--known"]) == 0  # ros is not known: not run
    table = (out / "table2.md").read_text()
    assert "| cn |" in table and "| ros |" not in table

    half = runs / "00007-digits-ros-ls"
    half.mkdir(parents=True)
    options = resolve({"dataset": "digits", "method": "ros"})
    (half / "options.json").write_text(json.dumps(options.to_json()))
    assert reproduce.main(["report", *toy]) == 2
    told = capsys.readouterr().out
    assert f"{half}: not finished, left out" in told
    page = (out / "index.html").read_text()
    assert "digits, 40 updates of M" in page and "one seed" in page
    assert page.count("data:image/png;base64,") == 2 and "http" not in page
    text = (out / "results.md").read_text()
    assert text.count("| gamo |") == 1 and (out / "digits-40-recall.png").is_file()


def test_a_row_that_fails_is_told_and_the_rest_is_kept(
    toy, tmp_path, capsys, monkeypatch
):
    train = tables.train

    def broken(options, *rest):
        if options.method == "gamo":
            raise UserError("the file is missing")
        return train(options, *rest)

    monkeypatch.setattr(tables, "train", broken)
    absent = {("celeba-small", "ls", "test"): TOY["digits", "ls", "test"]}
    monkeypatch.setitem(paper.TABLES, "table2", {**TOY, **absent})
    assert reproduce.main(["table2", "--quick", *toy]) == 2
    told = capsys.readouterr().out
    assert "digits, gamo: the file is missing" in told
    assert told.count("celeba-small") == 1 and "list_attr_celeba.txt" in told
    shown = (tmp_path / "out" / "table2.md").read_text()
    assert "| cn |" in shown and "| gamo |" not in shown


def test_a_method_that_does_not_fit_is_told(toy, tmp_path, capsys, monkeypatch):
    flat = {("mnist", "ls", "test"): TOY["digits", "ls", "test"]}
    monkeypatch.setitem(paper.TABLES, "table2", flat)
    assert reproduce.main(["table2", "--quick", "--methods", "dos", *toy]) == 2
    caught = capsys.readouterr()
    assert "mnist, dos: --method dos: mnist is trained on its pixels" in caught.out
    assert "no run of it could be finished" in caught.err


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["table7"], "invalid choice"),
        (["table1", "--datasets", "cifar10"], "fashion-mnist, mnist"),
        (["figure5", "--datasets", "mnist"], "cifar10, fashion-mnist"),
        (["table1", "--repeats", "0"], "--repeats 0"),
        (["report", "--known"], "goes with table1"),
        (["table1", "--updates", "1"], "--updates 1"),
        (["table1", "--methods", "best"], "invalid choice"),
        (["report", "--runs-dir", "nowhere"], "nowhere: no finished run"),
    ],
    ids=" ".join,
)
def test_bad_input_is_told(flags, told, tmp_path, capsys):
    try:
        code = reproduce.main([*flags, "--out", str(tmp_path)])
    except SystemExit as stop:
        code = stop.code
    assert code == 2 and told in capsys.readouterr().err


def test_a_damaged_record_is_named(tmp_path, capsys):
    (tmp_path / "runs.jsonl").write_text('{"options": {"dataset": "digits"}}\n')
    assert reproduce.main(["report", "--out", str(tmp_path)]) == 2
    assert "runs.jsonl, line 1: not a record" in capsys.readouterr().err


def test_methods_with_one_loss_are_asked_for_once():
    wish = tables.Wish(
        "table1", Path(), 2, 100, methods=("cn", "focal"), datasets=("mnist",)
    )
    assert list(wish.runs()) == [
        ("mnist", m, loss, seed)
        for seed in (0, 1)
        for m, loss in (("cn", "ce"), ("focal", "ce"), ("cn", "ls"))
    ]
    assert wish.options("mnist", "cn", "ls", 0).iterations == 100
    assert wish.options("mnist", "gamo", "ls", 0).iterations == 50
    only = tables.Wish("table1", Path(), 1, 100, methods=("focal",), losses=("ls",))
    assert {(row.loss, row.own_loss) for row in only.rows()} == {("ls", "ce")}


def test_paired_differences_by_hand():
    # Differences 0.1, 0.2, 0.3: mean 0.2, deviation 0.1; t(0.975, 2) = 4.302653.
    found = report.paired({0: 0.5, 1: 0.6, 2: 0.7}, {2: 0.4, 1: 0.4, 0: 0.4, 9: 1.0})
    assert found.seeds == 3 and found.mean == pytest.approx(0.2)
    half = 4.302653 * 0.1 / math.sqrt(3)
    assert found.low == pytest.approx(0.2 - half, abs=1e-6)
    assert found.high == pytest.approx(0.2 + half, abs=1e-6)
    assert found.verdict == "no difference shown"
    sure = report.paired({0: 0.5, 1: 0.6}, {0: 0.4, 1: 0.5000001})
    assert sure.verdict == "ahead"
    assert report.paired({0: 0.4, 1: 0.5}, {0: 0.5, 1: 0.6000001}).verdict == "behind"
    assert report.paired({0: 0.4}, {0: 0.5}).verdict == "one seed"
    assert report.paired({0: 0.4}, {1: 0.5}) is None


def test_settings_that_are_not_the_default_are_named():
    plain = resolve({"dataset": "digits", "seed": 3, "ema": 0.9})
    assert report.name(plain) == "gamo"
    odd = resolve({"dataset": "digits", "generator_update": "per-class"})
    assert report.name(odd) == "gamo, generator-update per-class"


def test_html_is_escaped_and_code_is_set():
    page = pages.page([pages.Text("a < b, `x & y`")], "t")
    assert "<p>a &lt; b, <code>x &amp; y</code></p>" in page
