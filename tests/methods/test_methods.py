"""What the methods beside GAMO do, by hand and by invariant."""

import math
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from gamo_tf import prepare, train
from gamo_tf.config.class_counts import ClassCounts
from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import resolve
from gamo_tf.data import load
from gamo_tf.data.splits import draw_split
from gamo_tf.errors import UserError, speaking_to
from gamo_tf.evaluation import metrics
from gamo_tf.methods import feature_sampling, imbalance_losses
from gamo_tf.methods.build import build, lookup
from gamo_tf.networks.classifier import DividePrior
from gamo_tf.networks.saved import load_network
from gamo_tf.training.feature_sampler import LatentBatch
from gamo_tf.training.loop import run_loop
from gamo_tf.training.losses import least_squares

COUNTS = np.array([6, 3, 1])
TARGET = tf.constant([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
LOGITS = np.array([[0.2, -0.3, 1.1], [2.0, 0.0, -1.0]])
P = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)


def value(name: str) -> float:
    factory = getattr(imbalance_losses, name)
    loss = factory(ClassCounts.of(COUNTS), least_squares)
    return float(loss(TARGET, tf.constant(P, tf.float32)))


def test_objectives_by_hand():
    p_y = P[0, 1], P[1, 0]
    nats = [-math.log(p) for p in p_y]
    assert value("softmax") == pytest.approx(np.mean(nats), rel=1e-5)
    focal = [(1 - p) ** 2 * n for p, n in zip(p_y, nats, strict=True)]
    assert value("focal") == pytest.approx(np.mean(focal), rel=1e-5)
    raw = [(1 - 0.9999) / (1 - 0.9999**n) for n in COUNTS]
    weights = [3 * w / sum(raw) for w in raw]
    expected = (weights[1] * nats[0] + weights[0] * nats[1]) / 2
    assert value("class_balanced") == pytest.approx(expected, rel=1e-5)
    shifted = LOGITS + np.log([0.6, 0.3, 0.1])
    shifted = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    assert value("logit_adjust") == pytest.approx(
        -(shifted[0, 1] + shifted[1, 0]) / 2, rel=1e-5
    )
    squares = ((np.exp(shifted) - TARGET.numpy()) ** 2).mean()
    assert value("adjusted") == pytest.approx(squares, rel=1e-5)
    # 30 times 0.5 (n / 1)^(-1/4) off the logit of the row's class
    margins = 15 * COUNTS**-0.25
    cut = LOGITS - np.array([[0, margins[1], 0], [margins[0], 0, 0]])
    cut = cut - np.log(np.exp(cut).sum(1, keepdims=True))
    assert value("ldam") == pytest.approx(-(cut[0, 1] + cut[1, 0]) / 2, rel=1e-5)
    expected = -(weights[1] * cut[0, 1] + weights[0] * cut[1, 0]) / 2
    assert value("ldam_weighted") == pytest.approx(expected, rel=1e-5)
    # n_y / n_max to the power of 0.3 times the centred logits
    scaled = (LOGITS - LOGITS.mean(1, keepdims=True)) * (COUNTS / 6) ** 0.3
    scaled = scaled + np.log([0.6, 0.3, 0.1])
    scaled = scaled - np.log(np.exp(scaled).sum(1, keepdims=True))
    expected = -(scaled[0, 1] + scaled[1, 0]) / 2
    assert value("vector_scaling") == pytest.approx(expected, rel=1e-5)
    squares = ((P - TARGET.numpy()) ** 2).mean(1)
    expected = (10 / 9 * squares[0] + 10 / 18 * squares[1]) / 2  # n / (c n_y)
    assert value("class_weight") == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("method", ["crt", "ldam-drw"])
def test_the_late_part_has_all_its_iterations_however_long_a_pass_is(method):
    spec = DATASETS["digits"]
    options = resolve({"dataset": "digits", "method": method, "iterations": 8})
    split = draw_split(load.read(spec, Path()), spec, spec.counts, 25, 0)
    game, late = build(options, spec), []  # 10 minibatches are a pass
    epoch = game.epoch

    def counted(*data: tf.Tensor, steps: int) -> dict[str, float]:
        late.append((steps, game.late))
        return epoch(*data, steps=steps)

    game.epoch = counted
    images, labels = tf.constant(split.images), tf.constant(split.labels, tf.int32)
    run_loop(game, (images, labels))
    assert late == [(7, False), (1, True)]  # 8 times 0.8 is 6.4


def test_methods_without_a_late_part_have_no_cut_epoch():
    for method in ("cn", "logit-adjust", "gamo"):
        options = resolve({"dataset": "digits", "method": method, "iterations": 8})
        assert build(options, DATASETS["digits"]).parts == ()


# One method of each trainer and kind of game, loss and late part.
KINDS = {
    (row.trainer, row.samples, bool(row.objective), "D" in row.players): name
    for name, row in METHODS.items()
}


@pytest.mark.slow
@pytest.mark.parametrize("method", KINDS.values())
def test_averages_leave_a_training_as_it_is_but_where_it_ends_on_them(method):
    """By this `ResultStore.get` finds raw results whatever averages a run had."""
    spec, ended = DATASETS["digits"], []
    split = draw_split(load.read(spec, Path()), spec, spec.counts, 25, 0)
    chosen = {"dataset": "digits", "method": method, "iterations": 10}
    for ema in (0.0, 0.5):
        trained = prepare.fit(resolve({**chosen, "ema": ema}), spec, split)
        networks = [trained.F, trained.M]
        ended.append([w for network in networks for w in network.get_weights()])
    same = all(map(np.array_equal, *ended))
    assert same == (not METHODS[method].ends_on_averages)


def test_an_averaged_head_meets_the_features_that_it_was_trained_on():
    spec = DATASETS["digits"]
    chosen = {"dataset": "digits", "method": "crt", "iterations": 50, "ema": 0.9}
    split = draw_split(load.read(spec, Path()), spec, spec.counts, 25, 0)
    images, labels = tf.constant(split.images), tf.constant(split.labels, tf.int32)
    game = build(resolve(chosen), spec)
    for _ in range(4):
        game.epoch(images, labels, steps=10)
    averaged = game.averages["F"].network.get_weights()
    assert any(
        (a != b).any() for a, b in zip(averaged, game.F.get_weights(), strict=True)
    )
    game.epoch(images, labels, steps=10)
    for network in (game.F, game.averages["F"].network):
        for a, b in zip(averaged, network.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_expansive_oversampling_goes_towards_neighbours_of_other_classes():
    options = resolve({"dataset": "digits", "method": "eos", "iterations": 50})
    game = build(options, DATASETS["digits"])
    rng = np.random.default_rng(0)
    x = rng.normal(size=(308, 4)).astype(np.float32)
    labels = np.repeat(range(10), DATASETS["digits"].counts).astype(np.int32)
    near, other = game.prepare_head(tf.constant(x), tf.constant(labels))
    far = np.linalg.norm(x[:, None] - x[None], axis=-1)
    np.testing.assert_array_equal(near, np.argsort(far, axis=1)[:, 1:11])
    np.testing.assert_array_equal(other, labels[near] != labels[:, None])
    majority = game.head_rows(tf.constant(x), tf.range(32), near, other).numpy()
    np.testing.assert_array_equal(majority, x[:32])  # n_k / n_max is 1
    rows = np.arange(276, 308, dtype=np.int32)  # of small classes
    moved = 0
    for _ in range(20):
        made = game.head_rows(tf.constant(x), tf.constant(rows), near, other).numpy()
        for row, point in zip(rows, made, strict=True):
            if (point == x[row]).all():
                continue
            moved += 1
            enemies = near.numpy()[row][labels[near.numpy()[row]] != labels[row]]
            gaps = np.linalg.norm(point - x[row]) + np.linalg.norm(
                point - x[enemies], axis=1
            )
            assert (gaps - far[row, enemies]).min() < 1e-4  # on a segment
    assert 0.75 < moved / (20 * 32) < 0.97  # classes of 14 to 5 of 100 rows


@pytest.mark.slow
def test_a_new_head_learns_on_frozen_features_and_balanced_rows():
    spec = DATASETS["digits"]
    options = resolve({"dataset": "digits", "method": "crt", "iterations": 50})
    split = draw_split(load.read(spec, Path()), spec, spec.counts, 25, 0)
    images, labels = tf.constant(split.images), tf.constant(split.labels, tf.int32)
    game = build(options, spec)  # 10 minibatches an epoch, late from 40
    old, features = [], []
    for _ in range(5):
        old.append(game.M.get_weights()[0])
        features.append(game.F.get_weights()[0])
        game.epoch(images, labels, steps=10)
    assert (features[1] != features[0]).any()
    np.testing.assert_array_equal(features[4], game.F.get_weights()[0])
    # Ten steps of 2e-4 from the fresh weights, nowhere near the old ones.
    fresh = game.fresh.get_weights()[0]
    assert np.abs(game.M.get_weights()[0] - fresh).max() < 0.01
    assert np.abs(old[4] - fresh).max() > 0.05
    assert int(game.optimizers["M"].iterations) == 10
    rows = game.balanced_order().numpy().ravel()
    drawn = np.concatenate([game.balanced_order().numpy().ravel() for _ in range(9)])
    share = np.bincount(split.labels[drawn], minlength=10) / len(drawn)
    assert rows.max() < len(labels) and np.abs(share - 0.1).max() < 0.03


def sampled(kind: type, points: np.ndarray, counts: tuple, rows: list[int]):
    random = tf.random.Generator.from_seed(0)
    options = resolve({"dataset": "digits", "counts": counts})
    sampler = kind(None, options, random)
    prepared = sampler.prepare(tf.constant(points, tf.float32))
    return sampler.sample(
        LatentBatch(None, None, rows), prepared, training=False
    ).numpy()


def test_dirichlet_sampler_is_uniform_on_the_simplex_of_each_class():
    # Unit vectors as points: the samples are the weights.
    found = sampled(feature_sampling.Dirichlet, np.eye(5), (9, 3, 2), [4000, 10])
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(1), 1, rtol=1e-5)
    assert (found[:4000, 3:] == 0).all() and (found[4000:, :3] == 0).all()
    first = found[:4000, :3]
    np.testing.assert_allclose(first.mean(0), 1 / 3, atol=0.02)
    np.testing.assert_allclose(first.var(0), 2 / 36, atol=0.005)  # (n-1)/(n^2 (n+1))


def test_smote_sampler_lies_between_a_point_and_a_neighbour_of_its_class():
    points = np.random.default_rng(1).normal(size=(12, 2))
    found = sampled(feature_sampling.Smote, points, (20, 8, 4), [60, 20])
    for real, samples in ((points[:8], found[:60]), (points[8:], found[60:])):
        k = min(5, len(real) - 1)
        far = np.linalg.norm(real[:, None] - real[None], axis=-1)
        near = np.argsort(far, axis=1)[:, 1 : k + 1]
        for x in samples:
            gap = min(
                np.linalg.norm(x - a) + np.linalg.norm(x - real[j]) - far[i, j]
                for i, a in enumerate(real)
                for j in near[i]
            )
            assert gap < 1e-4  # on a segment: the distances to its ends add up


@pytest.mark.slow
@pytest.mark.parametrize("name", [m.name for m in METHODS.values() if m.oversample])
def test_oversampling_tops_up_and_keeps_what_was_there(name):
    spec = DATASETS["digits"]
    split = draw_split(load.read(spec, Path()), spec, spec.counts, 25, 0)
    add = lookup(METHODS[name].oversample)

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


@pytest.mark.slow
def test_post_hoc_run_exports_what_it_reports(tmp_path):
    known = {"dataset": "digits", "method": "logit-adjust-posthoc", "iterations": 60}
    run = train.run(resolve(known), Path(), tmp_path)
    assert run.path == tmp_path / "00000-digits-logit-adjust-posthoc-ce"
    split = run.load_split(load.read(DATASETS["digits"], Path()))
    F, M = load_network(run.model("F")), load_network(run.model("M"))
    assert isinstance(M.layers[-1], DividePrior)
    guess = M(F(split.test_images)).numpy().argmax(axis=1)
    found = metrics.confusion(split.test_labels, guess, 10)
    assert found.tolist() == run.read_results()["test_full"]["confusion"]
    assert isinstance(
        keras.saving.load_model(run.model("M"), safe_mode=True), keras.Model
    )


UNFIT = [
    ({"method": "focal", "loss": "ls"}, "loss", "has only ce"),
    ({"method": "cgan", "dataset": "cifar10"}, "method", "colour"),
    ({"method": "cg", "generator_update": "per-class"}, "generator-update", "no IGU"),
    ({"method": "dos", "dataset": "mnist"}, "method", "trained on its pixels"),
    ({"method": "cn", "gan_turns": 9}, "gan-turns", "trains no such GAN"),
    ({"method": "cn", "tau": 0.5}, "tau", "adjusts nothing; .*logit-adjust"),
]


@pytest.mark.parametrize(("chosen", "name", "message"), UNFIT, ids=str)
def test_a_method_that_does_not_fit_is_refused_in_the_words_of_the_caller(
    chosen, name, message
):
    chosen = {"dataset": "digits", **chosen}
    with pytest.raises(UserError, match=message) as in_python:
        resolve(chosen)
    assert str(in_python.value).startswith(name.replace("-", "_"))
    with speaking_to("gamo"), pytest.raises(UserError, match=message) as in_a_shell:
        resolve(chosen)
    assert str(in_a_shell.value).startswith(f"--{name}")


def test_vectors_are_not_shifted():
    table = {"dataset": "t", "data": "/t.csv", "shape": (4,), "classes": ("a", "b")}
    known = {**table, "counts": (9, 5), "method": "logit-adjust"}
    assert not resolve(known).augment
    with pytest.raises(UserError, match="augment: needs images"):
        resolve({**known, "augment": True})


def test_deep_oversampling_by_hand():
    spec = DATASETS["digits"]
    options = resolve({"dataset": "digits", "method": "dos", "iterations": 50})
    split = draw_split(load.read(spec, Path()), spec, spec.counts, 25, 0)
    images, labels = tf.constant(split.images), tf.constant(split.labels, tf.int32)
    game = build(options, spec)
    uses = np.bincount(game.repeated, minlength=308)
    for label, n in enumerate(spec.counts):
        assert set(uses[split.labels == label]) == {-(-100 // n)}
    order, features, near = game.prepare(images, labels)
    assert order.shape == (game.steps_per_epoch, game.b)
    x, near = features.numpy(), near.numpy()
    for row in (120, 303, 307):  # classes of 60 and of 5
        members = np.flatnonzero(split.labels == split.labels[row])
        far = np.linalg.norm(x[members] - x[row], axis=1)
        nearest = members[np.argsort(far)[1 : 1 + min(5, len(members) - 1)]]
        assert set(near[row]) == set(nearest)
    rows = np.array([0, 120, *range(2, 32)], np.int32)  # 120: the only minority row
    game.random.reset_from_seed(5)
    w = feature_sampling.simplex_weights(game.random, [32, 5]).numpy()[1]
    game.random.reset_from_seed(5)
    batch = game.minibatch(images, labels, rows, features, tf.constant(near))
    found = game.batch_loss(game.loss, *batch)
    p, one_hot = game.M(features).numpy(), np.eye(10)[split.labels]
    squares = ((p - one_hot) ** 2).mean(1)
    d = w * ((x[120] - x[near[120]]) ** 2).mean(1)
    rho = np.exp(-d) / np.exp(-d).sum()
    expected = squares[rows].mean() + (d.sum() + (rho * squares[near[120]]).sum()) / 32
    assert float(found) == pytest.approx(expected, rel=1e-4)
