"""The final of equal tuning: who is in it, and who is recommended."""

from pathlib import Path

import pandas as pd
import pytest

from gamo_tf.config.methods import RECOMMENDED
from gamo_tf.grids.result_store import ResultStore
from reproduction import finals, reproduce, tuning
from reproduction.contest import SEEDS

ROOT = Path(__file__).resolve().parents[2]


def test_seeds_of_the_final_are_none_of_a_table():
    assert max(SEEDS.values()) <= min(finals.SEEDS)


def test_the_highest_mean_of_a_whole_final_wins():
    def known(method: str, value: float, seeds: int = len(finals.SEEDS)) -> list:
        return [
            {"method": method, "dataset": dataset, "seed": seed, "score": value}
            for dataset in tuning.UPDATES
            for seed in finals.SEEDS[:seeds]
        ]

    found = [*known("cn", 0.4), *known("ros", 0.6), *known("crt", 0.9, seeds=3)]
    assert finals.ranking(pd.DataFrame(found)).to_dict() == pytest.approx(
        {"ros": 0.6, "cn": 0.4}
    )
    assert list(finals.ranking(pd.DataFrame(found)).index) == ["ros", "cn"]


def test_those_near_the_best_are_in_it(monkeypatch):
    scores = pd.Series({"gamo": 0.70, "ros": 0.691, "cn": 0.689})
    monkeypatch.setattr(tuning, "collect", lambda trials: pd.DataFrame([0]))
    monkeypatch.setattr(tuning, "ranking", lambda found: scores)
    monkeypatch.setattr(tuning, "best", lambda found: {"gamo": 3, "ros": 1, "cn": 2})
    assert finals.finalists(ResultStore(Path("none"))) == {"gamo": 3, "ros": 1}


def test_what_is_recommended_has_won():
    main, trials = (
        ResultStore(ROOT / "docs" / "results" / f"{name}.jsonl")
        for name in ("main", "tuning")
    )
    assert finals.ranking(finals.collect(main, trials)).index[0] == RECOMMENDED
    assert RECOMMENDED in (ROOT / "Makefile").read_text()  # the demo shows it


@pytest.mark.slow
def test_its_runs_are_trained_once_and_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tuning, "GRIDS", {"cn": [{"learning_rate": 2e-4}]})
    monkeypatch.setattr(tuning, "SEEDS", (100,))
    monkeypatch.setattr(finals, "SEEDS", (100,))
    for table in (tuning, finals):
        monkeypatch.setattr(table, "UPDATES", {"digits": 20})
    monkeypatch.setattr(reproduce, "_check", lambda *_: None)
    end = ["--out", str(tmp_path), "--runs-dir", str(tmp_path / "runs")]
    assert reproduce.main(["finals", *end]) == 2  # nothing is tuned
    assert reproduce.main(["tune", *end]) == 0
    assert reproduce.main(["finals", "--methods", "ros", *end]) == 2
    assert "ros: not among the best of tune." in capsys.readouterr().err
    assert reproduce.main(["finals", *end]) == 0
    before = (tmp_path / "main.jsonl").read_bytes()
    assert reproduce.main(["finals", "--known", *end]) == 0
    assert (tmp_path / "main.jsonl").read_bytes() == before
    assert "| cn | learning_rate 0.0002 |" in (tmp_path / "finals.md").read_text()
