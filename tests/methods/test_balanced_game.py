"""Balanced GAMO: what it changes of the game, by hand and by invariant."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from gamo_tf.config.class_counts import ClassCounts
from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.options import resolve
from gamo_tf.data import load
from gamo_tf.data.splits import draw_split
from gamo_tf.errors import UserError
from gamo_tf.evaluation.game_watch import coverage
from gamo_tf.inference.convex_sampler import ConvexSampler, standard_normal
from gamo_tf.methods import balanced_game
from gamo_tf.methods.build import build
from gamo_tf.methods.feature_memory import FeatureMemory
from gamo_tf.networks.anchored_generator import AnchoredCTMU, AnchoredIGU, uniform
from gamo_tf.networks.convex_generator import convex_generator
from gamo_tf.networks.saved import load_network, save_network

SPEC = DATASETS["digits"]
COUNTS = ClassCounts((9, 4, 6, 3))


def game(method: str = "gamo-balanced", **chosen):
    known = {"dataset": "digits", "method": method, "iterations": 8, **chosen}
    return build(resolve(known), SPEC)


@pytest.fixture(scope="module")
def data():
    split = draw_split(load.read(SPEC, Path()), SPEC, SPEC.counts, 25, 0)
    return tf.constant(split.images), tf.constant(split.labels, tf.int32)


@pytest.fixture(scope="module")
def G():
    return convex_generator(COUNTS, 5, 7, (AnchoredCTMU, AnchoredIGU))


@pytest.fixture(scope="module")
def points():
    return tf.random.stateless_normal([13, 7], [1, 2])


def test_anchored_samples_are_convex_combinations_of_their_class(G, points):
    labels = np.tile([1, 2, 3], 30).astype(np.int32)
    z = tf.random.stateless_normal([90, 5], [3, 4])
    samples, weights = (
        value.numpy() for value in G([z, tf.constant(labels), points], training=False)
    )
    owner = np.repeat([1, 2, 3], [4, 6, 3])
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-5)
    assert (weights[labels[:, None] != owner[None]] == 0).all()
    np.testing.assert_allclose(samples, weights @ points.numpy(), atol=1e-5)


def test_the_anchor_and_its_weight_follow_from_z(G, points):
    z = np.zeros((3, 5), np.float32)
    z[:, 0] = [-9, 0.1, 9]  # the first, the third of six, and the last point of class 2
    z[:, -1] = -9  # s = 0: the sample is the anchor
    inputs = [tf.constant(z), tf.constant([2, 2, 2]), points]
    _, weights = G(inputs, training=False)
    expected = np.zeros((3, 13))
    expected[[0, 1, 2], [4, 7, 9]] = 1
    np.testing.assert_allclose(weights, expected, atol=1e-6)
    z[:, -1] = 9  # s = 1/2: the anchor has half of the weight and its own share of g
    _, weights = G([tf.constant(z), *inputs[1:]], training=False)
    assert (weights.numpy()[[0, 1, 2], [4, 7, 9]] >= 0.5).all()
    values = uniform(tf.random.stateless_normal([20000], [5, 6])).numpy()
    assert values.min() >= 0 and values.max() < 1
    np.testing.assert_allclose(
        np.quantile(values, [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=0.02
    )


def test_every_way_through_the_anchored_igus_agrees(G, points):
    igu, ctmu = G.get_layer("IGU"), G.get_layer("cTMU")
    z = tf.random.stateless_normal([6, 5], [7, 8])
    labels = tf.constant([1, 1, 1, 2, 3, 3])
    t = ctmu([z, tf.one_hot(labels, 4)], training=False)
    classes = tf.split(points, igu.sizes)
    dense, weights = igu([t, labels, points])
    np.testing.assert_allclose(igu.stratified(t, classes, [3, 1, 2]), dense, atol=1e-5)
    np.testing.assert_allclose(
        igu.one_class(t[4:], classes[2], 2), dense[4:], atol=1e-5
    )
    np.testing.assert_allclose(igu.weights_of(t[:3], 0), weights[:3, :4], atol=1e-6)


def test_samples_cover_a_class_however_g_has_collapsed(G, points):
    igu = G.get_layer("IGU")
    before = igu.bias.numpy()
    igu.bias.assign([50, 0, 0, 0, 50, 0, 0, 0, 0, 0, 50, 0, 0])  # one partner for all
    labels = np.repeat(range(4), COUNTS.sizes)
    features = np.concatenate([np.zeros((9, 7)), points.numpy()]).astype(np.float32)
    sampler = ConvexSampler(G, features, labels)
    found = coverage(sampler.weights(2, standard_normal([0, 1], 2000, 5)))
    igu.bias.assign(before)
    # Three quarters of the weight are even over 6 points, the rest is on one of them.
    even = np.full(6, 0.75 / 6)
    even[0] += 0.25
    expected = np.exp(-np.sum(even * np.log(even)))
    assert found.share == 1
    assert found.over_latents == pytest.approx(expected, abs=0.1)
    assert found.per_sample < 2


def test_an_anchored_generator_survives_a_file_in_safe_mode(G, points, tmp_path):
    save_network(tmp_path / "G.keras", G)
    again = load_network(tmp_path / "G.keras")
    inputs = [tf.ones([2, 5]), tf.constant([1, 3]), points]
    for one, two in zip(G(inputs), again(inputs), strict=True):
        np.testing.assert_array_equal(one, two)


# ---- the game ----------------------------------------------------------------------


def test_least_squares_are_of_the_adjusted_probabilities():
    balanced = game(tau=0.5, sampling=0.25, loss="ls")
    p = np.array([[0.7, 0.2, *[0.0125] * 8]], np.float32)
    one_hot = np.eye(10, dtype=np.float32)[[1]]
    q = p[0] * np.sqrt(np.array(SPEC.counts) ** 0.25)
    expected = np.mean((q / q.sum() - one_hot) ** 2)
    assert float(balanced.m_loss(one_hot, p)) == pytest.approx(expected, rel=1e-2)
    expected = np.mean((p - one_hot) ** 2)  # G is against what M predicts
    assert float(balanced.unadjusted(one_hot, p)) == pytest.approx(expected)


def test_m_is_adjusted_by_what_it_is_shown_and_g_is_against_what_it_predicts(data):
    balanced = game(tau=0.5, sampling=0.25)
    shown = np.array(SPEC.counts) ** 0.25
    p = np.array([[0.7, 0.2, *[0.0125] * 8]], np.float32)
    one_hot = np.eye(10, dtype=np.float32)[[1]]
    logits = np.log(p) + 0.5 * np.log(shown / shown.sum())
    expected = -(logits[0, 1] - np.log(np.exp(logits).sum()))
    # Whole rows are shown: the shares are exact to half a row of a class.
    assert float(balanced.m_loss(one_hot, p)) == pytest.approx(expected, rel=1e-2)
    balanced.epoch(*data, steps=1)  # fills the memory
    features, labels = balanced.features(data[0][:8]), data[1][:8]  # of the majority
    losses = dict(
        zip(
            balanced.game_names,
            balanced.game_step(features, labels).numpy(),
            strict=True,
        )
    )
    # The majority's rows stay as they are, and M has moved before G's loss.
    likelihood = np.log(balanced.M(features).numpy()[:, 0]).mean()
    assert losses["G_vs_M"] == pytest.approx(likelihood, rel=1e-5)


def test_small_classes_come_more_often_and_every_row_as_often_as_another(data):
    _, labels = data
    for power in (1.0, 0.5, 0.0):
        balanced = game(sampling=power)
        sizes = np.array(SPEC.counts)
        shown = np.round(sizes[0] * (sizes / sizes[0]) ** power).astype(int)
        assert balanced.shown.sizes == tuple(shown)
        order = balanced.repeated_order().numpy()
        assert order.shape == (-(-shown.sum() // 32), 32)
        rows = order.reshape(-1)[: shown.sum()]
        times = np.bincount(rows, minlength=len(labels))
        np.testing.assert_array_equal(np.bincount(labels.numpy()[rows]), shown)
        for label in range(10):
            mine = times[labels.numpy() == label]
            assert mine.max() - mine.min() <= 1


def test_who_moves(data):
    balanced = game()
    images, labels = data
    balanced.epoch(images, labels, steps=1)  # fills the memory
    before = {k: v.get_weights() for k, v in balanced.networks.items()}

    def moved() -> set[str]:
        found = set()
        for name, network in balanced.networks.items():
            now = network.get_weights()
            if any((a != b).any() for a, b in zip(before[name], now, strict=True)):
                found.add(name)
            before[name] = now
        return found

    y = labels[40:72]
    _, features = balanced.classifier_step(images[40:72], y)
    assert moved() == {"F", "M"}
    balanced.generator_step(features, y)
    assert moved() == {"G"}
    balanced.game_step(features, y)
    assert moved() == {"M", "D", "G"}


def test_a_generated_point_lies_between_its_row_and_the_memory_of_its_class(data):
    balanced = game()
    images, labels = data
    balanced.epoch(images, labels, steps=3)
    weights = balanced.partners.weights(None, labels[-40:], training=False).numpy()
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-5)
    owner = balanced.memory.owner
    other = labels.numpy()[-40:, None] != owner[None]
    assert (weights >= 0).all() and (weights[other] == 0).all()
    rows = balanced.memory.rows.numpy()[:-1]
    np.testing.assert_array_equal(labels.numpy()[rows], owner[:-1])

    # Each place weighs as G weighs the row that lies there.
    igu, t = balanced.G.get_layer("IGU"), tf.random.stateless_normal([1, 66], [1, 2])
    columns = tf.maximum(balanced.memory.rows - balanced.partners.offsets, 0)
    at = np.flatnonzero(owner == 9)
    logits = igu.logits_of_some(t, columns).numpy()[0, at]
    first = sum(SPEC.counts[:9])
    own = igu.kernel.numpy()[:, -SPEC.counts[9] :]
    bias = igu.bias.numpy()[-SPEC.counts[9] :]
    expected = (t.numpy()[:, :64] @ own + bias)[0, rows[at] - first]
    np.testing.assert_allclose(logits, expected, atol=1e-4)


def test_memory_keeps_the_newest_of_each_class():
    memory = FeatureMemory(ClassCounts((5, 3)), 4, 2)
    rows = memory.first_rows(tf.random.Generator.from_seed(1)).numpy()
    assert set(rows[:4]) < set(range(5)) and set(rows[4:]) == {5, 6, 7}
    memory.fill(tf.zeros([8, 2]), rows)

    def add(labels: list[int], rows: list[int]) -> None:
        features = tf.cast(tf.stack([rows, rows], axis=1), tf.float32)
        memory.add(features, tf.constant(labels), tf.constant(rows))

    add([0, 1, 0], [0, 5, 1])
    add([0, 0, 0, 1], [2, 3, 4, 6])  # of class 0, the fifth takes the oldest place
    np.testing.assert_array_equal(memory.rows[:4], [4, 1, 2, 3])
    np.testing.assert_array_equal(memory.rows[4:6], [5, 6])
    np.testing.assert_array_equal(memory.features[:6, 0], [4, 1, 2, 3, 5, 6])
    # More rows of a class than there are places: the first are kept.
    add([1] * 6, [5, 6, 7, 5, 6, 7])
    assert sorted(memory.rows[4:8].numpy()) == [5, 5, 6, 7]


def test_the_game_is_played_in_one_minibatch_of_several(data, monkeypatch):
    monkeypatch.setattr(balanced_game, "TURNS", 8)
    balanced = game()
    losses = balanced.epoch(*data, steps=9)
    assert tuple(losses) == balanced.loss_names
    taken = {k: int(v.iterations) for k, v in balanced.optimizers.items()}
    assert taken == {"F": 9, "M": 9 + 2, "D": 2 * 2, "G": 2}
    for method in ("balanced-pairs", "balanced-smote", "balanced-repeats"):
        control = game(method)
        losses = control.epoch(*data, steps=2)
        assert ("M_generated" in losses) == (method != "balanced-repeats")
        turns = int(method != "balanced-repeats")
        assert int(control.optimizers["M"].iterations) == 2 + turns


@pytest.mark.parametrize("method", ["balanced-pairs", "balanced-smote"])
def test_controls_choose_one_place_of_the_class(method, data):
    control = game(method)
    control.epoch(*data, steps=1)
    features, labels = control.features(data[0][-60:]), data[1][-60:]
    weights = control.partners.weights(features, labels, training=False).numpy()
    assert ((weights == 0) | (weights == 1)).all()
    place = weights.argmax(1)
    np.testing.assert_array_equal(control.memory.owner[place], labels)
    if method == "balanced-smote":
        points = control.memory.features.numpy()
        for row, label, chosen in zip(features.numpy(), labels, place, strict=True):
            mine = np.flatnonzero(control.memory.owner == int(label))
            distances = np.linalg.norm(points[mine] - row, axis=1)
            limit = np.sort(distances)[4] + 1e-3
            assert np.linalg.norm(points[chosen] - row) <= limit


def test_f_and_m_end_as_their_averages(data):
    balanced = game("gamo-balanced-no-d", ema=0.5)
    balanced.epoch(*data, steps=4)
    balanced.finish()
    for name in "FM":
        average = balanced.averages[name].network.get_weights()
        for a, b in zip(average, balanced.networks[name].get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_it_learns_digits(data):
    balanced = game(iterations=60, learning_rate=1e-3)
    first = balanced.epoch(*data, steps=10)
    for _ in range(5):
        last = balanced.epoch(*data, steps=10)
    assert last["M_real"] < 0.5 * first["M_real"]
    assert last["M_generated"] < first["M_generated"]
    assert np.isfinite(list(last.values())).all()


def test_sampling_is_for_methods_that_have_it():
    with pytest.raises(UserError, match="sampling: gamo shows all rows alike; gamo-b"):
        game("gamo", sampling=0.5)
    with pytest.raises(UserError, match="sampling"):
        game(sampling=1.5)
