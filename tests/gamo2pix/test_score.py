"""Scores of a class: what they know of copies, collapse and real images."""

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gamo2pix import score
from gamo2pix.extractors import Extractor
from gamo2pix.generate import Generated
from gamo_tf.config.dataset_specs import DATASETS

RNG = np.random.default_rng(0)
PLAIN = Extractor("plain", lambda x: x.reshape(len(x), -1))


def test_score_knows_copies_collapse_and_real_images():
    real, unseen = RNG.normal(size=(2, 400, 2, 2, 1))
    single = np.eye(400)
    generated = {
        "copies": Generated(real, single),
        "collapse": Generated(0.01 * real, np.full((400, 400), 1 / 400)),
        "real": Generated(RNG.normal(size=real.shape), None),
    }
    copies, collapse, fresh = score.score(PLAIN, real, unseen, generated)
    assert [row["source"] for row in (copies, collapse, fresh)] == list(generated)
    assert (
        copies["copies"] == 1
        and copies["recall"] == 1
        and copies["diversity"] == pytest.approx(1)
    )
    assert copies["frechet"] == pytest.approx(0, abs=1e-9)
    assert copies["single_parent"] == 1 and collapse["single_parent"] == 0
    assert math.isnan(fresh["single_parent"])
    assert collapse["diversity"] == pytest.approx(0.01)
    assert collapse["kid"] > 5 * abs(fresh["kid"])
    assert 0.01 < fresh["copies"] < 0.12 and abs(fresh["copying_z"]) < 3
    assert collapse["coverage"] < 0.2 < 0.8 < fresh["coverage"]
    assert fresh["recall_floor"] == collapse["recall_floor"] > 0.8
    rows = [{"label": 3, "name": "three", **copies, "source": score.GAMO}]
    shown = score.text(rows)
    assert "three *" not in shown
    few = [{**rows[0], "n_fake": 19}]
    assert "three *" in score.text(few) and "fewer than 20" in score.text(few)
    for words in ("three", "features: plain", "mean, generated"):
        assert words in shown


def test_classes_with_too_few_images_are_told_and_left_out(
    digits_split, tmp_path, capsys
):
    # Class 8 has seven training images, class 9 five; class 7 is left with three.
    surplus = np.flatnonzero(digits_split.labels == 7)[3:]
    split = replace(
        digits_split,
        images=np.delete(digits_split.images, surplus, axis=0),
        labels=np.delete(digits_split.labels, surplus),
    )
    asked = []

    def generate(label: int, n: int) -> dict[str, Generated]:
        asked.append((label, n))
        images = RNG.integers(0, 256, (n, 8, 8, 1), np.uint8)
        return {score.GAMO: Generated(images, None)}

    choosy = Extractor("choosy", PLAIN.function, least=6, details={"weights": "none"})
    rows = score.score_classes(
        tmp_path, DATASETS["digits"], split, [7, 8, 9], generate, [PLAIN, choosy]
    )
    found = [(row["label"], row["name"], row["features"]) for row in rows]
    assert found == [(8, "8", "plain"), (8, "8", "choosy"), (9, "9", "plain")]
    assert asked == [(8, 50), (9, 50)]
    kept = json.loads((tmp_path / "scores.json").read_text())
    assert kept["features"]["choosy"] == {"weights": "none"}
    assert len(kept["rows"]) == len(pd.read_csv(tmp_path / "scores.csv")) == 3
    assert {mean["features"] for mean in kept["means"]} == {"plain", "choosy"}
    told = capsys.readouterr().out
    assert "no score" not in told  # the verdict on class 7 says why
    assert f"all scores   {tmp_path / 'scores.csv'}" in told
    assert "features: choosy" in told


def test_nothing_is_written_where_no_class_is_scored(digits_split, tmp_path):
    spec = DATASETS["digits"]
    assert score.score_classes(tmp_path, spec, digits_split, [], dict, [PLAIN]) == []
    assert not list(tmp_path.iterdir())


def test_the_error_of_a_mean_over_classes():
    """Of independent classes: sqrt(0.3^2 + 0.4^2) / 2, not the mean of both."""
    row = {"features": "plain", "source": "gamo", "recall": 0.5}
    rows = [
        {**row, "kid": 1.0, "kid_error": 0.3},
        {**row, "kid": 3.0, "kid_error": 0.4},
    ]
    rows.append({**rows[0], "source": "dirichlet-sparse"})
    first, second = score.means(rows)
    assert first["kid"] == 2 and first["kid_error"] == pytest.approx(0.25)
    assert first["recall"] == 0.5 and second["kid_error"] == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("short", "short *"),
        ("a-name-of-a-class-that-never-ends", "a-name-of-a-class-th… *"),
        ("Zeile\numbruch", "Zeile\\numbruch *"),
        ("größe", "größe *"),
    ],
)
def test_the_table_for_people_fits_into_80_columns(name, shown):
    real, unseen = RNG.normal(size=(2, 10, 2, 2, 1))
    made = {key: Generated(real, None) for key in (score.GAMO, *score.CONTROLS)}
    found = score.score(PLAIN, real, unseen, made)
    lines = score.text(
        [{"label": 0, "name": name, **row} for row in found]
    ).splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.startswith(f"{shown} ") for line in lines)
