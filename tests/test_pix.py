"""GAMO2pix: its parts against values known otherwise."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.linalg
import tensorflow as tf

from gamo2pix import extractors, frechet, losses, networks, score
from gamo2pix.options import PixOptions
from gamo2pix.vae import Decode, Vae
from gamo_tf.specs import DATASETS

RNG = np.random.default_rng(0)


def test_kl_and_sampling_both_read_a_log_variance():
    mean, log_variance = tf.constant([[0.0, 1.0]]), tf.constant([[-4.0, 0.0]])
    # 1/2 (s^2 + m^2 - 1 - log s^2): 1/2 (e^-4 + 0 - 1 + 4) and 1/2 (1 + 1 - 1 - 0)
    expected = 0.5 * (math.exp(-4) + 3) + 0.5
    assert losses.kl(mean, log_variance).numpy() == pytest.approx([expected], rel=1e-6)
    z = losses.sample(mean, log_variance, tf.ones([1, 2]))
    assert z.numpy()[0] == pytest.approx([math.exp(-2), 2.0])


def test_reconstruction_is_a_gaussian_of_the_best_variance():
    target = tf.constant([0.0, 0.0], shape=[2, 1, 1, 1])
    share = tf.constant([0.1, 0.3], shape=[2, 1, 1, 1])
    variance = (0.01 + 0.09) / 2
    expected = [
        0.5 * (e / variance + math.log(2 * math.pi * variance)) for e in (0.01, 0.09)
    ]
    assert losses.reconstruction(target, share).numpy() == pytest.approx(expected)
    # A perfect image costs what the rounding of its pixels costs, not -infinity.
    exact = losses.reconstruction(target, target).numpy()
    assert exact == pytest.approx([0.5 * math.log(2 * math.pi / 255**2 / 12)] * 2)


@pytest.mark.parametrize(
    ("shape", "doublings"),
    [
        ((8, 8, 1), 1),
        ((28, 28, 1), 2),
        ((32, 32, 3), 2),
        ((64, 64, 3), 3),
        ((30, 50, 3), 3),
    ],
)
def test_decoder_makes_images_of_any_shape(shape, doublings):
    decoder = networks.decoder(4, shape)
    pixels = decoder(tf.random.normal([2, 4]) * 9).numpy()
    assert pixels.shape == (2, *shape)
    assert pixels.min() >= 0 and pixels.max() <= 255
    assert sum("double" in layer.name for layer in decoder.layers) == doublings


def test_vae_learns_and_its_loop_is_traced_once():
    images = (RNG.random((12, 8, 8, 1)) * 255).astype(np.uint8)
    features = tf.constant(np.eye(12, dtype=np.float32))
    vae = Vae(PixOptions(), 12, (8, 8, 1))
    before = [v.numpy().copy() for v in vae.moved]
    errors = []
    for _ in range(3):
        vae.train(features, tf.constant(images), tf.constant(100))
        made = Decode(vae.head, vae.decoder)(features.numpy(), None)
        errors.append(np.abs(made.astype(float) - images).mean())
    assert errors[-1] < 0.5 * errors[0]
    assert all(np.any(a != b.numpy()) for a, b in zip(before, vae.moved, strict=True))
    assert vae.train.experimental_get_tracing_count() == 1


# ---- scores ------------------------------------------------------------------


def gaussian(mean, root, n=10) -> frechet.Statistics:
    return frechet.Statistics(n, np.asarray(mean, float), np.asarray(root, float))


def test_frechet_against_closed_forms():
    one, two = gaussian([0, 0, 0], np.eye(3)), gaussian([1, 2, 2], 3 * np.eye(3))
    assert frechet.frechet(one, one) == pytest.approx(0, abs=1e-12)
    # |m|^2 + d (1 + 9 - 2 * 3)
    assert frechet.frechet(one, two) == pytest.approx(9 + 3 * 4)
    # Commuting covariances: the sum of squared differences of deviations.
    a, b = gaussian([0, 0], np.diag([1.0, 5.0])), gaussian([0, 0], np.diag([4.0, 3.0]))
    assert frechet.frechet(a, b) == pytest.approx(9 + 4)
    # Rank 1 each, at right angles: nothing shared.
    a, b = gaussian([0, 0], [[2.0, 0.0]]), gaussian([0, 0], [[0.0, 3.0]])
    assert frechet.frechet(a, b) == pytest.approx(4 + 9)


@pytest.mark.parametrize(("n", "m"), [(200, 150), (12, 9)], ids=["full", "deficient"])
def test_frechet_against_a_direct_matrix_square_root(n, m):
    mix = RNG.normal(size=(20, 20))
    x, y = RNG.normal(size=(n, 20)) @ mix, 0.7 * RNG.normal(size=(m, 20)) + 1
    a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = np.real(scipy.linalg.sqrtm(a)) if n > 20 else scipy_root(a)
    inner = np.linalg.eigvalsh(root @ b @ root)
    trace = np.sqrt(np.maximum(inner, 0)).sum()
    expected = np.sum((x.mean(0) - y.mean(0)) ** 2) + np.trace(a + b) - 2 * trace
    found = frechet.frechet(frechet.statistics(x), frechet.statistics(y))
    assert found == pytest.approx(expected, rel=1e-6)
    if n > 20:
        direct = np.real(np.trace(scipy.linalg.sqrtm(a @ b)))
        assert trace == pytest.approx(direct, rel=1e-9)


def scipy_root(a: np.ndarray) -> np.ndarray:
    values, vectors = scipy.linalg.eigh(a)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def test_kid_is_the_unbiased_mmd_and_null_on_average():
    x, y = RNG.normal(size=(6, 3)), RNG.normal(size=(5, 3)) + 1

    def k(a, b):
        return (a @ b / 3 + 1) ** 3

    xx = np.mean([k(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j])
    yy = np.mean([k(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j])
    xy = np.mean([k(a, b) for a in x for b in y])
    found = frechet.kid(x, y)
    assert found.value == pytest.approx(xx + yy - 2 * xy)
    assert found.subset == 2 and found.spread > 0
    null = [frechet.kid(*RNG.normal(size=(2, 20, 3))).value for _ in range(200)]
    assert abs(np.mean(null)) < 3 * np.std(null) / math.sqrt(200)
    assert min(null) < 0
    with pytest.raises(ValueError, match="4 or more"):
        frechet.kid(x[:3], y)


def test_score_knows_copies_collapse_and_real_images():
    extractor = extractors.Extractor("plain", lambda x: x.reshape(len(x), -1))
    real, held = RNG.normal(size=(2, 400, 2, 2, 1))
    single = np.eye(400)[:400]
    fakes = {
        "copies": (real, single),
        "collapse": (0.01 * real, np.full((400, 400), 1 / 400)),
        "real": (RNG.normal(size=real.shape), single),
    }
    copies, collapse, fresh = score.score(extractor, real, held, fakes)
    assert copies["near_copies"] == 1 and copies["diversity"] == pytest.approx(1)
    assert copies["frechet"] == pytest.approx(0, abs=1e-9)
    assert copies["single_parent"] == 1 and collapse["single_parent"] == 0
    assert collapse["diversity"] == pytest.approx(0.01)
    assert collapse["kid"] > 5 * abs(fresh["kid"])
    assert 0.01 < fresh["near_copies"] < 0.12
    rows = [{"label": 3, "name": "three", **copies, "source": "gamo"}]
    shown = score.text(rows)
    assert "three" in shown and "features: plain" in shown and "mean, gamo" in shown


def test_inception_taps_the_first_pool_and_the_end(tmp_path):
    import keras

    keras.utils.set_random_seed(0)
    shape = (extractors.INCEPTION_SIDE, extractors.INCEPTION_SIDE, 3)
    network = keras.applications.InceptionV3(False, weights=None, input_shape=shape)
    network.save_weights(tmp_path / "w.weights.h5")
    first, last = extractors.inception(tmp_path / "w.weights.h5")
    images = (RNG.random((3, 28, 28, 1)) * 255).astype(np.uint8)
    assert first(images).shape == (3, 64) and last(images).shape == (3, 2048)
    assert "d64" in first.name and last.least == 2048
    assert first.details["weights_md5"] == extractors._digest(network)
    assert first.details["comparable_to_published"] is False
    (tmp_path / "bad.h5").write_text("no weights")
    with pytest.raises(extractors.UserError, match=r"bad\.h5"):
        extractors.inception(tmp_path / "bad.h5")


def test_reference_classifier_is_trained_once_and_kept(tmp_path, capsys, monkeypatch):
    from gamo_tf import datasets

    spec = DATASETS["digits"]
    arrays = datasets.read(spec, tmp_path)
    one = extractors.reference(spec, arrays, tmp_path)
    assert "training the reference" in capsys.readouterr().out
    assert one.details["test_acsa"] > 0.9
    features = one(arrays[0])
    assert features.shape == (1297, 64)
    assert np.mean(features**2) == pytest.approx(1, rel=1e-3)
    monkeypatch.setattr(extractors, "_train_reference", None)  # would fail
    two = extractors.reference(spec, arrays, tmp_path)
    np.testing.assert_allclose(two(arrays[0][:9]), features[:9], rtol=1e-5)
    assert capsys.readouterr().out == "" and one.name == two.name


def test_extractor_falls_to_the_classifier_with_one_line(capsys, monkeypatch):
    from gamo2pix import train

    def offline(weights):
        raise extractors.UserError("no weights here.")

    monkeypatch.setattr(extractors, "inception", offline)
    monkeypatch.setattr(extractors, "reference", lambda *a: SimpleNamespace(name="r"))
    chosen = train.choose(train.Request(), None, (), None)
    assert [x.name for x in chosen] == ["r"]
    told = capsys.readouterr().out
    assert told.count("\n") == 1 and "no weights here" in told
    with pytest.raises(extractors.UserError, match="no weights"):
        train.choose(train.Request(features="inception"), None, (), None)


def test_length_follows_the_class_unless_it_is_given():
    found = [PixOptions().length(n) for n in (5, 40, 500, 1000, 2000, 9000)]
    assert found == [500, 500, 1000, 2000, 4000, 4000]  # 64 passes of n / 32
    assert PixOptions(iterations=7).length(2000) == 7
