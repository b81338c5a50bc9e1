"""What the methods beside GAMO do, by hand and by invariant."""

import math
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import train_gamo
from gamo_tf import (
    datasets,
    losses,
    metrics,
    neighbours,
    networks,
    oversampling,
    sources,
    train,
)
from gamo_tf.objectives import OBJECTIVES
from gamo_tf.options import resolve
from gamo_tf.runs import Run
from gamo_tf.specs import DATASETS

COUNTS = np.array([6, 3, 1])
TARGET = tf.constant([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
LOGITS = np.array([[0.2, -0.3, 1.1], [2.0, 0.0, -1.0]])
P = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)


def value(name: str) -> float:
    loss = OBJECTIVES[name](COUNTS, losses.least_squares)
    return float(loss(TARGET, tf.constant(P, tf.float32)))


def test_objectives_by_hand():
    own = P[0, 1], P[1, 0]
    nats = [-math.log(p) for p in own]
    assert value("softmax") == pytest.approx(np.mean(nats), rel=1e-5)
    focal = [(1 - p) ** 2 * n for p, n in zip(own, nats, strict=True)]
    assert value("focal") == pytest.approx(np.mean(focal), rel=1e-5)
    raw = [(1 - 0.9999) / (1 - 0.9999**n) for n in COUNTS]
    weights = [3 * w / sum(raw) for w in raw]
    expected = (weights[1] * nats[0] + weights[0] * nats[1]) / 2
    assert value("class-balanced") == pytest.approx(expected, rel=1e-5)
    shifted = LOGITS + np.log([0.6, 0.3, 0.1])
    shifted = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    assert value("logit-adjust") == pytest.approx(
        -(shifted[0, 1] + shifted[1, 0]) / 2, rel=1e-5
    )
    # 30 times 0.5 (n / 1)^(-1/4) off the own class's logit
    margins = 15 * COUNTS**-0.25
    cut = LOGITS - np.array([[0, margins[1], 0], [margins[0], 0, 0]])
    cut = cut - np.log(np.exp(cut).sum(1, keepdims=True))
    assert value("ldam") == pytest.approx(-(cut[0, 1] + cut[1, 0]) / 2, rel=1e-5)
    expected = -(weights[1] * cut[0, 1] + weights[0] * cut[1, 0]) / 2
    assert value("ldam-weighted") == pytest.approx(expected, rel=1e-5)
    squares = ((P - TARGET.numpy()) ** 2).mean(1)
    expected = (10 / 9 * squares[0] + 10 / 18 * squares[1]) / 2  # n / (c n_y)
    assert value("class-weight") == pytest.approx(expected, rel=1e-5)


def test_dividing_by_the_prior_is_post_hoc_logit_adjustment():
    M = networks.classifier(4, 3)
    x = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    p, odds = M(x).numpy(), networks.adjusted(M, tuple(COUNTS))(x).numpy()
    np.testing.assert_allclose(odds.sum(1), 1, rtol=1e-5)
    expected = np.argmax(np.log(p) - np.log(COUNTS / COUNTS.sum()), axis=1)
    assert (odds.argmax(1) == expected).all()
    assert (p.argmax(1) != expected).any()


def test_cosine_head_sees_directions_only():
    M = networks.classifier(4, 3, scale=30.0)
    layer = M.get_layer("cosine")
    x = np.random.default_rng(0).normal(size=(5, 128)).astype(np.float32)
    w = layer.kernel.numpy()
    cos = (x @ w) / np.linalg.norm(x, axis=1)[:, None] / np.linalg.norm(w, axis=0)
    np.testing.assert_allclose(layer(x), 30 * cos, rtol=1e-4, atol=1e-4)


def test_a_new_head_learns_on_frozen_features_and_balanced_rows():
    spec = DATASETS["digits"]
    options = resolve({"dataset": "digits", "method": "crt", "iterations": 50})
    split = datasets.draw(datasets.read(spec, Path()), spec, spec.counts, 25, 0)
    images, labels = tf.constant(split.images), tf.constant(split.labels, tf.int32)
    game = train.build(options, spec)  # 10 minibatches an epoch, late from 40
    old, features = [], []
    for _ in range(5):
        old.append(game.M.get_weights()[0])
        features.append(game.F.get_weights()[0])
        game.epoch(images, labels, 10)
    assert (features[1] != features[0]).any()
    np.testing.assert_array_equal(features[4], game.F.get_weights()[0])
    # Ten steps of 2e-4 from the fresh weights, nowhere near the old ones.
    fresh = game.fresh.get_weights()[0]
    assert np.abs(game.M.get_weights()[0] - fresh).max() < 0.01
    assert np.abs(old[4] - fresh).max() > 0.05
    assert int(game.optimizers["M"].iterations) == 10
    rows = game._balanced_order(labels).numpy().ravel()
    drawn = np.concatenate(
        [game._balanced_order(labels).numpy().ravel() for _ in range(9)]
    )
    share = np.bincount(split.labels[drawn], minlength=10) / len(drawn)
    assert rows.max() < len(labels) and np.abs(share - 0.1).max() < 0.03


def made(kind: str, points: np.ndarray, counts: tuple, rows: list[int]) -> np.ndarray:
    random = tf.random.Generator.from_seed(0)
    source = sources.SOURCES[kind](None, counts, random)
    parts = source.prepare(tf.constant(points, tf.float32))
    return source.make(None, None, parts, rows, training=False).numpy()


def test_dirichlet_source_is_uniform_on_the_simplex_of_each_class():
    # Unit vectors as points: the samples are the weights.
    found = made("dirichlet", np.eye(5), (9, 3, 2), [4000, 10])
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(1), 1, rtol=1e-5)
    assert (found[:4000, 3:] == 0).all() and (found[4000:, :3] == 0).all()
    first = found[:4000, :3]
    np.testing.assert_allclose(first.mean(0), 1 / 3, atol=0.02)
    np.testing.assert_allclose(first.var(0), 2 / 36, atol=0.005)  # (n-1)/(n^2 (n+1))


def test_smote_source_lies_between_a_point_and_a_neighbour_of_its_class():
    points = np.random.default_rng(1).normal(size=(12, 2))
    found = made("smote", points, (20, 8, 4), [60, 20])
    for own, samples in ((points[:8], found[:60]), (points[8:], found[60:])):
        k = min(5, len(own) - 1)
        far = np.linalg.norm(own[:, None] - own[None], axis=-1)
        near = np.argsort(far, axis=1)[:, 1 : k + 1]
        for x in samples:
            gap = min(
                np.linalg.norm(x - a) + np.linalg.norm(x - own[j]) - far[i, j]
                for i, a in enumerate(own)
                for j in near[i]
            )
            assert gap < 1e-4  # on a segment: the distances to its ends add up


@pytest.mark.parametrize("name", sorted(oversampling.EXTRA))
def test_oversampling_tops_up_and_keeps_what_was_there(name):
    spec = DATASETS["digits"]
    split = datasets.draw(datasets.read(spec, Path()), spec, spec.counts, 25, 0)
    add = oversampling.EXTRA[name]

    def options(seed: int):
        known = {"dataset": "digits", "method": name, "seed": seed, "iterations": 60}
        return resolve(known)

    images, labels = add(split.images, split.labels, spec, options(3))
    n = len(split.images)
    np.testing.assert_array_equal(images[:n], split.images)
    assert images.dtype == np.uint8 and np.bincount(labels).tolist() == [100] * 10
    again, _ = add(split.images, split.labels, spec, options(3))
    # A GAN's convolutions may add up in another order: a grey level or two.
    assert np.abs(images.astype(int) - again).max() <= (2 if "gan" in name else 0)
    other, _ = add(split.images, split.labels, spec, options(4))
    assert (images != other).any()
    known = {image.tobytes() for image in split.images}
    new = [image.tobytes() in known for image in images[n:]]
    assert np.mean(new) == 1 if name == "ros" else np.mean(new) < 0.2


def test_post_hoc_run_exports_what_it_reports(tmp_path):
    flags = ["--dataset", "digits", "--method", "logit-adjust-posthoc"]
    flags += ["--iterations", "60", "--runs-dir", str(tmp_path)]
    assert train_gamo.main(flags) == 0
    run = Run.open(tmp_path / "00000-digits-logit-adjust-posthoc-ce")
    split = run.load_split(datasets.read(DATASETS["digits"], Path()))
    F, M = run.load_model("F"), run.load_model("M")
    assert isinstance(M.layers[-1], networks.DividePrior)
    guess = M(F(split.test_images)).numpy().argmax(axis=1)
    found = metrics.confusion(split.test_labels, guess, 10)
    assert found.tolist() == run.read_results()["test_full"]["confusion"]
    assert isinstance(
        keras.saving.load_model(run.model("M"), safe_mode=True), keras.Model
    )


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--method", "focal", "--loss", "ls"], "has only ce"),
        (["--method", "cgan", "--dataset", "cifar10"], "colour"),
        (["--method", "cg", "--generator-update", "per-class"], "no IGU"),
        (["--method", "dos", "--dataset", "mnist"], "trained on its pixels"),
    ],
    ids=" ".join,
)
def test_a_method_that_does_not_fit_is_told(flags, told, tmp_path, capsys):
    where = ["--dataset", "digits", "--runs-dir", str(tmp_path / "r")]
    assert train_gamo.main([*where, *flags]) == 2
    assert told in capsys.readouterr().err and not (tmp_path / "r").exists()


def test_deep_oversampling_by_hand():
    spec = DATASETS["digits"]
    options = resolve({"dataset": "digits", "method": "dos", "iterations": 50})
    split = datasets.draw(datasets.read(spec, Path()), spec, spec.counts, 25, 0)
    images, labels = tf.constant(split.images), tf.constant(split.labels, tf.int32)
    game = train.build(options, spec)
    uses = np.bincount(game.repeated, minlength=308)
    for label, n in enumerate(spec.counts):
        assert set(uses[split.labels == label]) == {-(-100 // n)}
    order, (features, near) = game._prepare(images, labels)
    assert order.shape == (game.steps_per_epoch, game.b)
    x, near = features.numpy(), near.numpy()
    for row in (120, 303, 307):  # classes of 60 and of 5
        own = np.flatnonzero(split.labels == split.labels[row])
        far = np.linalg.norm(x[own] - x[row], axis=1)
        nearest = own[np.argsort(far)[1 : 1 + min(5, len(own) - 1)]]
        assert set(near[row]) == set(nearest)
    rows = np.array([0, 120, *range(2, 32)], np.int32)  # 120: the only minority row
    game.random.reset_from_seed(5)
    w = neighbours.simplex(game.random, [32, 5]).numpy()[1]
    game.random.reset_from_seed(5)
    found = game._step_loss(
        images, labels, rows, game.loss, features, tf.constant(near)
    )
    p, one_hot = game.M(features).numpy(), np.eye(10)[split.labels]
    squares = ((p - one_hot) ** 2).mean(1)
    d = w * ((x[120] - x[near[120]]) ** 2).mean(1)
    rho = np.exp(-d) / np.exp(-d).sum()
    expected = squares[rows].mean() + (d.sum() + (rho * squares[near[120]]).sum()) / 32
    assert float(found) == pytest.approx(expected, rel=1e-4)
