"""reproduce.py from its arguments to its files."""

import json

import pandas as pd
import pytest

from gamo_tf.grids.result_store import ResultStore
from reproduction import reproduce


@pytest.fixture
def make(toy_table, tmp_path):
    """The program with a table of digits and short runs."""
    where = ["--runs-dir", str(tmp_path / "runs"), "--out", str(tmp_path / "out")]
    where += ["--data-dir", str(tmp_path)]

    def run(*arguments: str) -> int:
        return reproduce.main(
            [*arguments, *where], published={"table2": toy_table}, quick_updates=40
        )

    return run


@pytest.mark.slow
def test_quick_table_and_report(make, tmp_path, capsys):
    """The runs, the table, the report; and nothing twice, though the runs are gone."""
    runs, out = tmp_path / "runs", tmp_path / "out"
    asked = ["table2", "--quick", "--ema", "0.9"]
    assert make(*asked) == 0
    sheet = pd.read_csv(out / "table2.csv", keep_default_na=False)
    # 2 methods, raw and averaged, 4 sets; the same updates of M.
    assert len(sheet) == 16 and set(sheet["m_updates"]) == {40}
    shown = (out / "table2.md").read_text()
    assert "`python reproduce.py table2 --quick --ema 0.9 --runs-dir" in shown
    assert "0.34±0.01 / 0.33±0.01" in shown and "gamo (EMA)" in shown
    assert "digits, LS, 40 updates of M" in shown
    kept = {options.method: row for options, row in ResultStore(out / "runs.jsonl")}
    for method in ("cn", "gamo"):
        path = next(runs.glob(f"*{method}-ls/results.json"))
        results = json.loads(path.read_text())
        raw = sheet[(sheet["method"] == method) & (sheet["weights"] == "")]
        full = raw[raw["set"] == "test_full"].iloc[0]
        for key in ("acsa", "gm"):
            assert full[key] == pytest.approx(results["test_full"][key], abs=1e-6)
        assert f"{results['test']['acsa']:.3f} / {results['test']['gm']:.3f}" in shown
        recall = results["ema"]["train"]["recall"]
        assert kept[method]["ema"]["train"]["recall"] == pytest.approx(recall, abs=1e-6)

    runs.rename(tmp_path / "elsewhere")
    assert make(*asked) == 0
    assert "2 of 2 runs are known from" in capsys.readouterr().out
    assert (out / "table2.md").read_text() == shown and not runs.exists()

    assert make(*asked, "--methods", "cn", "ros", "--known") == 0
    table = (out / "table2.md").read_text()  # ros is not known: it is not run
    assert "| cn |" in table and "| ros |" not in table and not runs.exists()

    assert make("report") == 0
    page = (out / "index.html").read_text()
    assert "digits, 40 updates of M" in page and "one seed" in page
    text = (out / "results.md").read_text()
    assert text.count("| gamo |") == 1 and (out / "digits-40-recall.png").is_file()


def test_a_table_of_which_something_failed(make, toy_table, tmp_path, capsys):
    flat = {("mnist", "ls", "test"): toy_table["digits", "ls", "test"]}
    arguments = ["table2", "--quick", "--methods", "dos", "--out", str(tmp_path)]
    assert reproduce.main(arguments, published={"table2": flat}) == 2
    caught = capsys.readouterr()
    assert "mnist, dos: --method dos: mnist is trained on its pixels" in caught.out
    assert "reproduce.py: table2: no run of it could be finished" in caught.err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["table7"], "invalid choice"),
        (["table1", "--datasets", "cifar10"], "fashion-mnist, mnist"),
        (["figure5", "--datasets", "mnist"], "cifar10, fashion-mnist"),
        (["theorem1", "--datasets", "mnist"], "theorem1 has none"),
        (["table1", "--repeats", "0"], "--repeats 0"),
        (["report", "--known"], "--known: goes with table1"),
        (["table5", "--known"], "goes with table1"),
        (["table1", "--updates", "1"], "--updates 1"),
        (["tabel1"], "Did you mean table1?"),
        (["table1", "--methods", "best"], "invalid choice"),
        (["table1", "--methods", "smoot"], "Did you mean smote?"),
        (["table1", "--datasets", "mnst"], "fashion-mnist, mnist. Did you mean mnist?"),
        (["report", "--runs-dir", "nowhere"], "nowhere: no finished run"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_named(flags, message, tmp_path, capsys):
    try:
        code = reproduce.main([*flags, "--out", str(tmp_path)])
    except SystemExit as stop:
        code = stop.code
    assert code == 2 and message in capsys.readouterr().err


def test_a_damaged_record_is_named(tmp_path, capsys):
    (tmp_path / "runs.jsonl").write_text('{"options": {"dataset": "digits"}}\n')
    assert reproduce.main(["report", "--out", str(tmp_path)]) == 2
    assert "runs.jsonl, line 1: not a record" in capsys.readouterr().err


def test_theorem1(tmp_path):
    assert reproduce.main(["theorem1", "--out", str(tmp_path / "new")]) == 0
    page = (tmp_path / "new" / "theorem1.md").read_text()
    assert page.startswith("# Theorem 1\n\n`python reproduce.py theorem1`: ")


def test_every_maker_is_there():
    from importlib import import_module

    for row in reproduce.EXPERIMENTS.values():
        module, function = row.maker.split(":")
        assert callable(getattr(import_module(module), function))


def test_help_answers_without_tensorflow(cli):
    code = "import atexit; atexit.register(lambda: print('tensorflow' in sys.modules))"
    done = cli("reproduce", "--help", code=code)
    assert done.returncode == 0 and done.stdout.endswith("False\n")
    for name, row in reproduce.EXPERIMENTS.items():
        assert name in done.stdout and row.title in done.stdout


def test_a_table_of_what_is_known_needs_no_tensorflow(cli, tmp_path):
    code = "import atexit; atexit.register(lambda: print('tensorflow' in sys.modules))"
    done = cli("reproduce", "table1", "--known", "--out", tmp_path, code=code)
    assert done.returncode == 2 and "no run of it could be finished" in done.stderr
    assert done.stdout.endswith("False\n")
