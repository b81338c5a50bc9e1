"""What is watched of a game, on cases whose answer is known."""

import numpy as np
import pytest

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.options import resolve
from gamo_tf.evaluation import game_warnings, game_watch, metrics
from gamo_tf.methods.build import build


def test_coverage_tells_many_parents_from_the_same_few():
    one = np.zeros((6, 10))  # six latents, ten rows
    one[:, 3] = 1  # every latent leads to one row
    found = game_watch.coverage(one)
    assert found == pytest.approx((1, 1, 1 / 6))
    each = np.eye(10)  # every latent copies another row
    assert game_watch.coverage(each) == pytest.approx((1, 10, 1))
    even = np.full((6, 10), 0.1)
    assert game_watch.coverage(even) == pytest.approx((10, 10, 1))
    pairs = np.repeat(np.eye(10)[:2], 3, axis=0)
    assert game_watch.coverage(pairs) == pytest.approx((1, 2, 2 / 6))
    few = np.eye(1000)[:50]  # fifty latents that each copy another of 1,000 rows
    assert game_watch.coverage(few).share == 1


def test_the_prior_of_a_classifier_counts_classes_alike():
    p = np.array([[0.8, 0.2]] * 90 + [[0.4, 0.6]] * 10)
    labels = np.repeat([0, 1], [90, 10])
    np.testing.assert_allclose(metrics.effective_prior(p, labels), [0.6, 0.4])


def test_rows_in_the_hull_are_inside_and_far_ones_outside():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(40, 5))
    weights = rng.dirichlet(np.ones(40), 20)
    assert game_watch.outside_hull(weights @ points, points) == 0
    assert game_watch.outside_hull(points[:10] + 30, points) == 1
    mixed = np.concatenate([weights[:5] @ points, points[:5] + 30])
    assert game_watch.outside_hull(mixed, points) == 0.5
    assert game_watch.outside_hull(points[:1] + 30, points[:2]) == 1


def test_distances_to_a_hull_agree_with_a_square():
    corners = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0], [4.0, 4.0]])
    # Half of the distance between neighbouring corners is 2.
    rows = np.array([[2.0, 2.0], [2.0, 5.9], [2.0, 6.1], [-1.9, -0.1], [-1.5, -1.5]])
    outside = [game_watch.outside_hull(row[None], corners) for row in rows]
    assert outside == [0, 0, 1, 0, 1]


def test_a_game_is_looked_at_class_by_class():
    options = resolve({"dataset": "digits", "iterations": 10})
    game = build(options, DATASETS["digits"])
    labels = np.repeat(range(10), DATASETS["digits"].counts)
    rng = np.random.default_rng(0)
    features = rng.normal(size=(308, 512)).astype(np.float32)
    found = game_watch.look(game, features, labels, features[:150], labels[:150])
    names = ("parents", "parents_over_latents", "share_of_rows", "d_accuracy")
    for name in names:
        assert sorted(found[name]) == list(range(1, 10)), name
    assert sorted(found["outside_hull"]) == [1]  # the others have no row beside
    for label, n in enumerate(DATASETS["digits"].counts):
        if label:
            assert 1 <= found["parents"][label] <= n + 1e-3
            together = found["parents_over_latents"][label]
            assert found["parents"][label] <= together + 1e-3 <= n + 2e-3


def test_warnings_name_what_is_wrong():
    shares, right = "share_of_rows", "d_accuracy"
    well = {shares: {"one": 0.5, "two": 0.9}, right: {"one": 0.7, "two": 0.8}}
    assert game_warnings.warnings(well) == []
    assert game_warnings.warnings({"prior": {"zero": 1.0}}) == []
    ill = {shares: {"one": 0.05, "two": 0.9}, right: {"one": 0.99, "two": 0.98}}
    collapsed, won = game_warnings.warnings(ill)
    assert "one" in collapsed and "two" not in collapsed and "10%" in collapsed
    assert "D has won" in won
