"""Equal tuning: as many trials for every method, chosen on validation rows alone."""

from pathlib import Path

import pandas as pd
import pytest

from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import resolve
from gamo_tf.config.tuned import RECIPE, TUNED
from gamo_tf.errors import UserError
from gamo_tf.grids.result_store import ResultStore
from reproduction import reproduce, tuning

ROOT = Path(__file__).resolve().parents[2]


def test_every_method_has_as_many_trials_and_none_twice():
    for name, grid in tuning.GRIDS.items():
        assert name in METHODS
        assert len(grid) == 6, name
        assert len({tuple(sorted(trial.items())) for trial in grid}) == 6, name


def test_trials_update_f_equally_often():
    for name in tuning.GRIDS:
        options = tuning.Trial(name, 0, "digits", 100).options(80)
        updates = options.iterations * METHODS[name].f_share
        assert 80 <= updates < 81, name
        assert options.augment and options.ema == 0.999
        assert options.validation_per_class > 0


def test_seeds_of_trials_are_none_of_a_table():
    assert min(tuning.SEEDS) >= 100


def test_the_score_reads_validation_rows_and_nothing_else():
    sets = {"validation": {"acsa": 0.6, "gm": 0.4}, "test": {"acsa": 1.0, "gm": 1.0}}
    assert tuning.score({"test": {}, "ema": sets}) == pytest.approx(0.5)
    with pytest.raises(UserError, match="without validation rows"):
        tuning.score({"ema": {"test": sets["test"]}})


def scored(scores: dict[tuple[int, str], list[float]]) -> pd.DataFrame:
    return pd.DataFrame(
        {"method": "cn", "number": n, "dataset": d, "seed": seed, "score": value}
        for (n, d), values in scores.items()
        for seed, value in zip(tuning.SEEDS, values, strict=False)
    )


def test_the_best_trial_has_the_highest_mean_over_datasets():
    scores = {(n, d): [0.5, 0.5] for n in range(6) for d in ("mnist", "cifar10")}
    scores[2, "mnist"], scores[2, "cifar10"] = [0.9, 0.9], [0.2, 0.2]
    scores[4, "mnist"], scores[4, "cifar10"] = [0.55, 0.65], [0.6, 0.6]
    assert tuning.best(scored(scores)) == {"cn": 4}
    scores[4, "cifar10"] = [0.6]  # a seed is missing: not tuned equally yet
    assert tuning.best(scored(scores)) == {}
    del scores[4, "cifar10"]
    assert tuning.best(scored(scores)) == {}
    one = {(n, "mnist"): [0.5, 0.5] for n in range(6)}  # a dataset is missing
    assert tuning.best(scored(one)) == {}


@pytest.mark.slow
def test_trials_are_trained_once_and_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        tuning, "GRIDS", {"cn": [{"learning_rate": 2e-4}, {"learning_rate": 5e-4}]}
    )
    monkeypatch.setattr(tuning, "SEEDS", (100,))
    monkeypatch.setattr(tuning, "UPDATES", {"digits": 20})
    arguments = ["tune", "--datasets", "digits", "--updates", "20"]
    arguments += ["--out", str(tmp_path), "--runs-dir", str(tmp_path / "runs")]
    assert reproduce.main(arguments) == 0
    store = ResultStore(tmp_path / "tuning.jsonl")
    assert len(store) == 2
    before = (tmp_path / "tuning.jsonl").read_bytes()
    assert reproduce.main([*arguments, "--known"]) == 0
    assert (tmp_path / "tuning.jsonl").read_bytes() == before
    text = (tmp_path / "tuning.md").read_text()
    assert "learning_rate 0.0005" in text and text.count("| kept |") == 1
    found = pd.read_csv(tmp_path / "tuning.csv")
    assert set(found["dataset"]) == {"digits"} and found["score"].between(0, 1).all()


def test_a_method_without_a_grid_is_named(capsys):
    assert reproduce.main(["tune", "--methods", "cdcgan"]) == 2
    assert "cdcgan: has no grid" in capsys.readouterr().err


def test_what_ships_is_what_equal_tuning_kept():
    trials = ResultStore(ROOT / "docs" / "results" / "tuning.jsonl")
    kept = tuning.best(tuning.collect(trials))
    assert {method: tuning.GRIDS[method][k] for method, k in kept.items()} == TUNED
    assert {**TUNED["gamo-balanced"], **RECIPE} == METHODS["gamo-balanced"].defaults


def test_images_alone_are_augmented_by_default():
    images = resolve({"dataset": "digits", "method": "gamo-balanced"})
    assert images.augment and images.ema == 0.999 and images.learning_rate == 1e-3
    own = {"data": "/rows.csv", "label": "y", "classes": ("a", "b"), "shape": (3,)}
    own |= {"dataset": "rows", "method": "gamo-balanced", "counts": (9, 3)}
    assert not resolve(own).augment and resolve(own).ema == 0.999
    with pytest.raises(UserError, match="augment"):
        resolve({**own, "augment": True})
