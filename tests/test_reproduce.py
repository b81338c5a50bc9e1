"""reproduce.py: what it runs, what it keeps, what it writes."""

import json

import pandas as pd
import pytest

import reproduce
from gamo_tf import paper, tables
from gamo_tf.errors import UserError

TOY = {
    ("digits", "ls", "test"): {
        "cn": paper.Reported(0.12, 0.01, 0.11, 0.01),
        "gamo": paper.Reported(0.34, 0.01, 0.33, 0.01),
    }
}


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.setitem(paper.TABLES, "table9", TOY)
    monkeypatch.setattr(reproduce, "QUICK_UPDATES", 40)


def test_the_papers_figures_as_printed():
    mnist = paper.TABLES["table1"]["mnist", "ls", "test"]
    assert mnist["gamo"] == (0.91, 0.01, 0.90, 0.01)
    assert mnist["cg-d"] == (0.85, 0.02, 0.82, 0.02)
    assert paper.TABLES["table3"]["lsun-large", "ls", "test"]["gamo"].gm == 0.68
    for table in paper.TABLES.values():
        for reported in table.values():
            assert all(0 <= r.gm <= r.acsa <= 1 for r in reported.values())


def test_quick_table_runs_what_is_missing_and_nothing_twice(
    toy, tmp_path, capsys, monkeypatch
):
    where = ["--runs-dir", str(tmp_path / "runs"), "--out", str(tmp_path / "out")]
    assert reproduce.main(["table9", "--quick", "--ema", "0.9", *where]) == 0
    sheet = pd.read_csv(tmp_path / "out" / "table9.csv", keep_default_na=False)
    # 2 methods, raw and averaged, 3 sets; the same updates of M.
    assert len(sheet) == 12 and set(sheet["m_updates"]) == {40}
    shown = (tmp_path / "out" / "table9.md").read_text()
    assert "0.34 / 0.33" in shown and "gamo, EMA" in shown
    assert "digits, LS, 40 updates of M" in shown
    for method in ("cn", "gamo"):
        path = next((tmp_path / "runs").glob(f"*{method}-ls/results.json"))
        results = json.loads(path.read_text())
        raw = sheet[(sheet["method"] == method) & (sheet["weights"] == "")]
        full = raw[raw["set"] == "test_full"].iloc[0]
        assert full["acsa"] == pytest.approx(results["test_full"]["acsa"])
        assert full["gm"] == pytest.approx(results["test_full"]["gm"])
        assert f"{results['test']['acsa']:.3f} / {results['test']['gm']:.3f}" in shown

    def never(*args, **kwargs):
        raise AssertionError("a finished run was begun again")

    monkeypatch.setattr(tables.subprocess, "run", never)
    assert reproduce.main(["table9", "--quick", "--ema", "0.9", *where]) == 0


def test_a_row_that_fails_is_told_and_the_rest_is_kept(
    toy, tmp_path, capsys, monkeypatch
):
    train = tables.train

    def broken(options, *rest):
        if options.method == "gamo":
            raise UserError("the file is missing")
        train(options, *rest)

    monkeypatch.setattr(tables, "train", broken)
    monkeypatch.setitem(
        paper.TABLES, "table9", {**TOY, ("svhn9", "ls", "test"): {"cn": TOY}}
    )
    where = ["--runs-dir", str(tmp_path / "runs"), "--out", str(tmp_path / "out")]
    assert reproduce.main(["table9", "--quick", *where]) == 2
    told = capsys.readouterr().out
    assert "digits, gamo: the file is missing" in told
    assert "svhn9: this version does not have it" in told
    shown = (tmp_path / "out" / "table9.md").read_text()
    assert "| cn |" in shown and "| gamo |" not in shown


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["table7"], "invalid choice"),
        (["table1", "--datasets", "cifar10"], "fashion-mnist, mnist"),
        (["table1", "--repeats", "0"], "--repeats 0"),
        (["table1", "--methods", "best"], "invalid choice"),
    ],
    ids=" ".join,
)
def test_bad_input_is_told(flags, told, capsys):
    try:
        code = reproduce.main(flags)
    except SystemExit as stop:
        code = stop.code
    assert code == 2 and told in capsys.readouterr().err


def test_methods_with_one_loss_are_asked_for_once():
    wish = tables.Wish("table1", 2, 100, methods=("cn", "focal"), datasets=("mnist",))
    runs = [(o.method, o.loss, o.seed, o.iterations) for o in wish.options()]
    assert runs == [
        (m, loss, seed, 100)
        for seed in (0, 1)
        for m, loss in (("cn", "ce"), ("focal", "ce"), ("cn", "ls"))
    ]
