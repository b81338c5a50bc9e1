"""Which method a run trains where nobody asks for one, and with which settings."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import train_gamo
from gamo_tf.config.methods import METHODS, RECOMMENDED, recommended
from gamo_tf.config.tuned import settings_for


@pytest.fixture
def described(image_root: Path, tmp_path: Path, capsys):
    """Settings of a dry run on images or on a table, and what the screen says."""
    table = tmp_path / "t.csv"
    pd.DataFrame({"a": range(40), "kind": ["x"] * 30 + ["y"] * 10}).assign(
        a=lambda t: t["a"] / 7
    ).to_csv(table, index=False)
    data = {
        "images": ["--image-folder", str(image_root), "--image-size", "16"],
        "table": ["--features", str(table), "--label", "kind"],
        "digits": ["--dataset", "digits"],
    }

    def dry(kind: str, *flags: str) -> tuple[dict, str]:
        assert train_gamo.main([*data[kind], *flags, "--dry-run"]) == 0
        shown = capsys.readouterr().out
        begin, end = shown.index("{"), shown.rindex("}") + 1
        return json.loads(shown[begin:end]), shown

    return dry


@pytest.mark.parametrize("kind", ["images", "table"])
def test_own_data_train_the_recommended_method_and_say_why(kind, described):
    options, shown = described(kind)
    method = recommended(images=kind == "images")
    assert options["method"] == method
    assert settings_for(method, kind == "images").items() <= options.items()
    assert shown.count(f"method: {method}, because") == 1
    assert "--method gamo trains the paper's" in shown


@pytest.mark.parametrize("kind", ["images", "table"])
def test_another_method_gets_the_settings_that_tuning_kept(kind, described):
    options, shown = described(kind, "--method", "ros")
    assert settings_for("ros", kind == "images").items() <= options.items()
    assert options["method"] == "ros" and "because" not in shown
    options, _ = described(kind, "--method", "ros", "--learning-rate", "0.5")
    assert options["learning_rate"] == 0.5  # what you ask for goes first


def test_photographs_behind_a_network_have_their_own_default(described):
    options, shown = described(
        "images", "--backbone", "MobileNetV3Small", "--image-size", "32"
    )
    method = recommended(images=True, pretrained=True)
    assert options["method"] == method
    assert settings_for(method, True, True).items() <= options.items()
    assert "docs/results/backbones.md" in shown


def test_generated_rows_come_from_a_method_that_generates(described, tmp_path):
    target = str(tmp_path / "balanced.csv")
    options, shown = described("table", "--save-balanced", target)
    assert options["method"] == recommended(images=False, generates=True)
    assert METHODS[options["method"]].convex and f"method: {RECOMMENDED}" in shown


def test_a_published_dataset_trains_the_papers_method_with_its_settings(described):
    options, shown = described("digits")
    assert (options["method"], options["loss"]) == ("gamo", "ls")
    assert options["learning_rate"] == 2e-4 and options["ema"] == 0
    assert "because" not in shown
