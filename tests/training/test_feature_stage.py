"""F as a stage: extracted once, trained behind, saved whole, the same after a kill."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from gamo_tf import prepare, train
from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import Options, resolve, spec_of
from gamo_tf.data import load
from gamo_tf.data.splits import Split, draw_split
from gamo_tf.errors import UserError
from gamo_tf.evaluation.evaluator import DeviceSplit
from gamo_tf.networks import backbones
from gamo_tf.networks.batched import compiled
from gamo_tf.training import views
from gamo_tf.training.extraction import BATCH
from gamo_tf.training.feature_stage import FeatureStage

SHORT = {"dataset": "digits", "iterations": 6, "evaluate_every": 3, "ema": 0.5}


@pytest.fixture(scope="module")
def network(tmp_path_factory) -> str:
    """A small network with batch normalization and dropout, in a file."""
    keras.utils.set_random_seed(0)
    image = keras.Input((16, 16, 3))
    x = layers.Rescaling(1 / 255)(image)
    for k, filters in enumerate((6, 8)):
        x = layers.Conv2D(filters, 3, padding="same", name=f"conv{k}")(x)
        x = layers.BatchNormalization(name=f"norm{k}")(x)
        x = layers.ReLU()(x)
        x = layers.AveragePooling2D(2)(x)
    x = layers.Conv2D(10, 3, padding="same", name="last")(x)
    x = layers.Dropout(0.5)(layers.GlobalAveragePooling2D()(x))
    path = tmp_path_factory.mktemp("network") / "small.keras"
    keras.Model(image, x).save(path)
    return str(path)


def settings(network: str, **more: object) -> Options:
    method = more.get("method", "cn")
    return resolve({**SHORT, "backbone": network, **more, "method": method})


def drawn(options: Options) -> Split:
    spec = spec_of(options)
    arrays = load.read(spec, Path())
    return draw_split(arrays, spec, options.counts, 5, options.seed, 3)


def test_training_begins_at_the_features_that_f_gives(network):
    options = settings(network)
    split, stage = drawn(options), FeatureStage(options)
    behind = stage.behind(split)
    whole = compiled(stage.whole(stage.learned))
    for name in ("images", "validation_images", "test_images"):
        features = compiled(stage.learned)(getattr(behind, name))
        np.testing.assert_allclose(
            features, whole(getattr(split, name)), rtol=1e-4, atol=1e-5
        )
    features = compiled(stage.learned)(behind.images)
    assert np.sqrt(np.mean(features**2)) == pytest.approx(1, rel=1e-4)


def test_features_do_not_depend_on_the_images_beside(network):
    options = settings(network, seed=3)
    images = drawn(options).images[: BATCH + 3]
    one = FeatureStage(options).extract(images)[0]
    other = FeatureStage(replace(options, backbone_sha256="")).extract(images[::-1])
    np.testing.assert_array_equal(one, other[0][::-1])


def test_a_second_training_extracts_nothing(network, monkeypatch, capsys):
    options = settings(network, seed=4)
    FeatureStage(options).behind(drawn(options))
    stage = FeatureStage(options)
    monkeypatch.setattr(
        "gamo_tf.training.feature_stage.step_of", lambda frozen: pytest.fail
    )
    capsys.readouterr()
    stage.behind(drawn(options))
    assert "image" not in capsys.readouterr().err  # there is no bar


@pytest.mark.slow
def test_a_network_that_learns_may_calculate_in_half_precision(network):
    options = settings(network, backbone_trains="all", precision="mixed_bfloat16")
    trainer, data = prepare.prepared(options, spec_of(options), drawn(options))
    trainer.epoch(*data, steps=2)
    assert {w.dtype for w in trainer.F.weights} == {"float32"}
    assert trainer.features(data[0][:2]).dtype == "float32"
    assert trainer.F.get_layer("conv0").compute_dtype == "bfloat16"
    with pytest.raises(UserError, match="precision: a frozen network"):
        settings(network, precision="mixed_bfloat16")


@pytest.mark.parametrize("trains", ["none", "top", "all"])
def test_only_the_layers_that_train_move_and_batch_statistics_never(network, trains):
    options = settings(network, backbone_trains=trains, backbone_rate=0.1)
    stage = FeatureStage(options)
    before = {w.path: w.numpy() for w in stage.F.weights}
    trainer, data = prepare.prepared(
        options, spec_of(options), drawn(options), stage=stage
    )
    for _ in range(2):
        trainer.epoch(*data, steps=2)
    moved = {w.path for w in stage.F.weights if (w.numpy() != before[w.path]).any()}
    learns = {
        "none": set(),
        # The last two blocks: between them the map is as wide as before them.
        "top": {w.path for w in stage.F.trainable_weights if "0" not in w.path},
        "all": {w.path for w in stage.F.trainable_weights},
    }
    assert moved == learns[trains]
    assert not any("moving" in path for path in moved)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_trains_behind_a_frozen_network_or_says_why_not(network, name):
    method = METHODS[name]
    if method.needs:
        with pytest.raises(UserError, match=f"method {name}: needs"):
            settings(network, method=name)
        return
    options = settings(network, method=name, iterations=2, ema=0.0)
    trainer = prepare.fit(options, spec_of(options), drawn(options))
    assert trainer.F.output_shape == (None, 10)


def test_fine_tuning_begins_with_the_head_of_the_frozen_stage(network, capsys):
    options = settings(network, backbone_trains="all")
    stage, split = FeatureStage(options), drawn(options)
    before = compiled(stage.F)(split.images)
    prepare.begin_with_head(stage, spec_of(options), split)
    said = capsys.readouterr().out
    assert "fine-tuning:" in said and "MiB" in said
    np.testing.assert_array_equal(compiled(stage.F)(split.images), before)
    features = compiled(stage.learned)(split.images)
    assert np.sqrt(np.mean(features**2)) == pytest.approx(1, rel=1e-3)
    p = compiled(stage.head)(features)
    guess = p.argmax(axis=1)
    assert np.mean(guess == split.labels) > 0.3  # of 10 classes
    trainer, _ = prepare.prepared(options, spec_of(options), split, stage=stage)
    assert trainer.M is stage.head


@pytest.mark.slow
@pytest.mark.parametrize(
    "more", [{}, {"views": 3}, {"backbone_trains": "top"}, {"method": "gamo"}]
)
def test_a_run_saves_the_whole_of_f_and_resumes_exactly(network, tmp_path, more):
    exact = {"deterministic": True, "iterations": 20, "checkpoint_every": 10}
    options = settings(network, **exact, **more)
    whole = train.run(options, Path(), tmp_path / "a")
    F = keras.models.load_model(whole.model("F"))
    assert F.input_shape == (None, 8, 8, 1) and F.output_shape == (None, 10)
    assert whole.options.backbone_sha256 == backbones.sha256(
        keras.models.load_model(network)
    )
    # The newest checkpoint goes, and what was written at the end.
    (whole.path / "results.json").unlink()
    newest = whole.checkpoints()[-1]
    assert len(whole.checkpoints()) == 2
    train_again = whole.path.parent / newest.name
    newest.rename(train_again)
    expected = {p.name: p.read_bytes() for p in whole.path.glob("models/*.keras")}
    weights = {n: keras.models.load_model(whole.model(Path(n).stem)) for n in expected}
    again = train.resume(whole.path, Path())
    for name, network_before in weights.items():
        after = keras.models.load_model(again.model(Path(name).stem))
        for one, two in zip(
            network_before.get_weights(), after.get_weights(), strict=True
        ):
            np.testing.assert_array_equal(one, two)


@pytest.mark.slow
def test_a_network_that_was_moved_is_found_by_its_new_path(network, tmp_path):
    moved = shutil.copy(network, tmp_path / "moved.keras")
    run = train.run(settings(network), Path(), tmp_path / "runs")
    (run.path / "results.json").unlink()
    text = (run.path / "options.json").read_text()
    (run.path / "options.json").write_text(text.replace(network, str(moved)))
    assert train.resume(run.path, Path()).finished


def test_other_weights_are_refused_by_name(network, tmp_path):
    changed = keras.models.load_model(network)
    changed.get_layer("last").bias.assign_add(np.ones(10))
    path = tmp_path / "small.keras"
    changed.save(path)
    sha256 = FeatureStage(settings(network)).sha256
    options = replace(settings(network), backbone=str(path), backbone_sha256=sha256)
    with pytest.raises(UserError, match=r"small\.keras: has other weights"):
        FeatureStage(options)


# ---- views -------------------------------------------------------------------------


def test_views_make_no_class_larger_than_the_largest():
    options = settings("x.keras", views=4, counts=(100, 60, 40, 26, 25, 2, 2, 2, 2, 2))
    assert views.numbers(options) == (1, 1, 2, 3, 4, 4, 4, 4, 4, 4)


@pytest.mark.parametrize("name", ["photographs", "shapes"])
def test_a_view_follows_from_the_image_alone(name):
    images = np.random.default_rng(0).integers(0, 256, (5, 12, 12, 3), np.uint8)
    make = views.maker(name, 1)
    one = make(images)
    assert one.dtype == np.uint8 and one.shape == images.shape
    np.testing.assert_array_equal(views.maker(name, 1)(images[::-1])[::-1], one)
    assert (views.maker(name, 2)(images) != one).mean() > 0.5
    assert (one != images).mean() > 0.5


def test_looks_show_all_views_of_an_image_and_no_other(network):
    options = settings(network, views=3, view_set="shapes")
    stage, split = FeatureStage(options), drawn(options)
    trainer, (rows, _) = prepare.prepared(options, spec_of(options), split, stage=stage)
    positions = rows.numpy()
    assert positions.shape == (len(split.labels), 3)
    numbers = np.repeat(views.numbers(options), options.counts)
    assert [len(set(line)) for line in positions.tolist()] == numbers.tolist()
    table = stage.views.table.numpy()
    row = int(np.argmax(numbers == 3))
    looks = np.concatenate(
        [trainer.augmented(rows).numpy()[row][None] for _ in range(30)]
    )
    seen = {look.tobytes() for look in looks}
    assert seen == {table[k].tobytes() for k in positions[row]}
    # The first view is the image, and the one by which a run is evaluated.
    behind = DeviceSplit.of(split, FeatureStage(options))
    np.testing.assert_array_equal(trainer.first_views(rows), behind.train)


def test_views_are_what_their_network_gives_of_the_changed_images(network):
    options = settings(network, views=2, view_set="shapes")
    stage, split = FeatureStage(options), drawn(options)
    stage.behind(split)
    changed = views.maker("shapes", 1)(split.images)
    numbers = np.repeat(views.numbers(options), options.counts)
    two = np.flatnonzero(numbers == 2)
    places = stage.views.positions[two, 1]
    np.testing.assert_allclose(
        stage.views.table.numpy()[places],
        compiled(stage.F)(changed[two]),
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"views": 2}, "views: needs a pretrained network"),
        ({"backbone_trains": "top"}, "backbone_trains: needs a pretrained network"),
        ({"backbone": "MobileNetV3Smal"}, "Did you mean MobileNetV3Small"),
        ({"backbone": "x.keras", "augment": True}, "augment: with backbone_trains"),
        ({"backbone": "MobileNetV3Small", "backbone_side": 16}, "32 pixels"),
        ({"backbone": "standardise"}, "digits is images"),
        (
            {"backbone": "x.keras", "backbone_trains": "all", "views": 2},
            "views: needs a pretrained network, all or some",
        ),
    ],
)
def test_settings_that_do_not_go_together_are_refused(chosen, words):
    with pytest.raises(UserError, match=words):
        resolve({"dataset": "digits", **chosen})
