"""Whatever happens to a file of a run: the same result, or a line with its name."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from damage import check, check_damage, damaged, damaged_json
from PIL import Image
from sklearn.datasets import load_wine

from gamo2pix.options import PixOptions
from gamo2pix.reference_classifier import read_card
from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.options import resolve, spec_of
from gamo_tf.data import load, user_data
from gamo_tf.data.splits import draw_split
from gamo_tf.files import remove
from gamo_tf.grids.result_store import ResultStore, record
from gamo_tf.methods.build import read_added
from gamo_tf.networks.saved import load_network, save_network
from gamo_tf.runs.run import Run
from gamo_tf.stored import read_object, write_json

pytestmark = pytest.mark.slow


class State(NamedTuple):
    """A file, and what is read from it; it may be damaged as any bytes, or as JSON."""

    path: Path
    read: Callable[[], Any]
    json: bool = False


def digits_run(place: Path, perfect_results: Callable[[Any], dict]) -> dict[str, State]:
    run = Run.create(place / "runs", resolve({"dataset": "digits", "iterations": 20}))
    options, spec, path = run.options, DATASETS["digits"], run.path
    arrays = load.read(spec, place)
    split = draw_split(arrays, spec, options.counts, options.test_per_class, 0, 9)
    run.save_data(options, split, None)
    images = np.concatenate([split.images, split.images[:9]])
    labels = np.concatenate([split.labels, split.labels[:9]])
    np.savez(run.fed, images=images, labels=labels, seconds=1.0)
    value = tf.Variable([1.0, 2.0])
    state = tf.train.Checkpoint(value=value)
    run.save_checkpoint(10, state, [{"iteration": 10, "seconds": 1.0, "a": 0.5}])
    x = keras.Input((8, 8, 1))
    y = keras.layers.Dense(3)(keras.layers.Flatten()(x))
    save_network(run.model("F"), keras.Model(x, y, name="F"))
    history = pd.DataFrame({"iteration": [10, 20], "validation_acsa": [0.1, 0.5]})
    history.to_csv(run.metrics, index=False)
    run.write_results(perfect_results(options))
    store = ResultStore(place / "runs.jsonl")
    store.add(run)
    write_json(place / "card.json", {"scale": 1.5, "training_images": 7})
    write_json(place / "pix.json", PixOptions().to_json())

    def rows() -> list:
        found = run.load_split(arrays)
        return list(vars(found).values())

    def checkpoint() -> list:
        value.assign([0.0, 0.0])
        iteration, history = run.restore(state)
        return [iteration, history, value.numpy()]

    saved = path / "checkpoints" / "0000010"
    return {
        "options": State(path / "options.json", lambda: run.options, json=True),
        "data": State(path / "data.json", lambda: [run.options, run.origin], json=True),
        "results": State(path / "results.json", run.read_results, json=True),
        "split": State(path / "split.npz", rows),
        "fed": State(run.fed, lambda: list(read_added(run.fed, options, split))),
        "metrics": State(run.metrics, lambda: record(run)["late_acsa"]),
        "history": State(saved / "history.json", checkpoint, json=True),
        "digests": State(saved / "digests.json", checkpoint, json=True),
        "index": State(saved / "state.index", checkpoint),
        "state": State(saved / "state.data-00000-of-00001", checkpoint),
        "network": State(
            run.model("F"), lambda: load_network(run.model("F")).get_weights()
        ),
        "store": State(store.path, lambda: list(ResultStore(store.path)), json=True),
        "card": State(
            place / "card.json", lambda: read_card(place / "card.json"), json=True
        ),
        "pix": State(
            place / "pix.json", lambda: read_object(place / "pix.json"), json=True
        ),
    }


def own_runs(place: Path) -> dict[str, State]:
    frame = load_wine(as_frame=True).frame
    frame.drop(index=range(75, 125)).to_csv(place / "wine.csv", index=False)
    table = user_data.from_feature_table(place / "wine.csv", "target", 0.2, 0, 0.2)
    rng = np.random.default_rng(0)
    for name, n in (("cat", 6), ("lynx", 4)):
        (place / "photos" / name).mkdir(parents=True)
        for k in range(n):
            picture = Image.fromarray(rng.integers(0, 256, (9, 9, 3), np.uint8))
            picture.save(place / "photos" / name / f"{k}.png")
    photos = user_data.from_image_folder(
        place / "photos", 8, False, None, 0.3, 0, False, 0.2
    )
    found = {}
    for word, data in (("table", table), ("photos", photos)):
        options = resolve({**data.settings, "seed": 0})
        run = Run.create(place / "runs", options)
        split = draw_split(data.arrays, spec_of(options), options.counts, 0, 0)
        run.save_data(options, split, data)
        found[f"rows of {word}"] = State(
            run.path / "rows.csv", lambda run=run: list(run.arrays(place))
        )
        source = place / "wine.csv"
        if word == "photos":
            source = Path(run.row_sources()[0])
        found[word] = State(source, lambda run=run: list(run.arrays(place)))
    return found


@pytest.fixture(scope="module")
def digits_states(tmp_path_factory, perfect_results) -> dict[str, State]:
    return digits_run(tmp_path_factory.mktemp("digits"), perfect_results)


@pytest.fixture(scope="module")
def own_states(tmp_path_factory) -> dict[str, State]:
    return own_runs(tmp_path_factory.mktemp("own"))


OWN = ["rows of table", "table", "rows of photos", "photos"]
KINDS = ["options", "data", "results", "split", "fed", "metrics", "history", "digests"]
KINDS += ["index", "state", "network", "store", "card", "pix", *OWN]


@pytest.fixture
def state(request, kind) -> State:
    of = request.getfixturevalue("own_states" if kind in OWN else "digits_states")
    return of[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_noticed_and_named(state, kind):
    content, expected = state.path.read_bytes(), state.read()
    damage = damaged_json(content) if state.json else damaged(content)
    if kind == "store":
        damage = damage.filter(bool)  # nothing tells that a line was cut off whole
    check_damage(state.path, damage, state.read, expected)


def test_all_kinds_are_damaged(digits_states, own_states):
    assert sorted(digits_states | own_states) == sorted(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file_is_named(state, kind, tmp_path):
    """A folder or a named pipe in the place of a file, or nothing."""
    aside = tmp_path / "aside"
    state.path.rename(aside)
    try:
        check(state.path, state.read)
        state.path.mkdir()
        check(state.path, state.read)
        state.path.rmdir()
        os.mkfifo(state.path)
        check(state.path, state.read)
    finally:
        remove(state.path)
        aside.rename(state.path)
