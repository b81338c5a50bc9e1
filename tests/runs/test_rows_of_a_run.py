"""The rows of a run: the same ones again, and what was changed since is named."""

import numpy as np
import pytest

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.data.splits import draw_split
from gamo_tf.errors import UserError

SPEC = DATASETS["digits"]


def test_a_run_keeps_its_rows(run, arrays, split):
    run.save_data(run.options, split, None)
    again = run.load_split(arrays)
    np.testing.assert_array_equal(again.images, split.images)
    np.testing.assert_array_equal(again.protocol_index, split.protocol_index)
    np.testing.assert_array_equal(again.validation_images, split.validation_images)
    np.testing.assert_array_equal(again.validation_labels, split.validation_labels)
    moved = arrays._replace(labels=np.roll(arrays.labels, 1))
    with pytest.raises(UserError, match=r"labels differ.*data_dir"):
        run.load_split(moved)
    fewer = arrays._replace(images=arrays.images[:50], labels=arrays.labels[:50])
    with pytest.raises(UserError, match=r"split\.npz: .*position outside 0 to 49"):
        run.load_split(fewer)


@pytest.mark.parametrize("part", ["images", "test_images", "validation"])
def test_a_changed_value_of_a_published_set_is_named_by_its_class(
    run, arrays, split, part
):
    run.save_data(run.options, split, None)
    name = "images" if part == "validation" else part
    changed = getattr(arrays, name).copy()
    row, what = {
        "images": (split.train_index[-1], "training"),
        "test_images": (-1, "test"),
        "validation": (split.validation_index[-1], "validation"),
    }[part]
    changed[row, 3, 3] ^= 1
    labels = arrays.test_labels if name == "test_images" else arrays.labels
    with pytest.raises(UserError, match=f"the {what} rows of {labels[row]} are not"):
        run.load_split(arrays._replace(**{name: changed}))


def test_a_run_that_kept_no_digests_is_read_with_a_word(run, arrays, split, capsys):
    run.save_data(run.options, split, None)
    (run.path / "data.json").unlink()
    np.testing.assert_array_equal(run.load_split(arrays).images, split.images)
    assert "kept no digests" in capsys.readouterr().out


def save_arrays(run, **changed):
    """None takes an array out."""
    path = run.path / "split.npz"
    with np.load(path) as found:
        arrays = {**dict(found), **changed}
    np.savez(path, **{k: v for k, v in arrays.items() if v is not None})


ASIDE = ("validation_index", "validation_labels")


def test_rows_of_an_earlier_version_have_no_validation(run, arrays):
    split = draw_split(arrays, SPEC, SPEC.counts, 25, 3)
    run.save_data(run.options, split, None)
    save_arrays(run, **dict.fromkeys(ASIDE))
    again = run.load_split(arrays)
    assert again.validation_images.shape == (0, 8, 8, 1)
    assert len(again.validation_labels) == len(again.validation_index) == 0
    np.testing.assert_array_equal(again.images, split.images)


def test_validation_rows_that_are_taken_away_are_missed(run, arrays, split):
    run.save_data(run.options, split, None)
    save_arrays(run, **dict.fromkeys(ASIDE))
    with pytest.raises(UserError, match=r"the validation rows of 0, 1, 2, .* are not"):
        run.load_split(arrays)


def test_a_validation_row_that_is_trained_on_is_refused(run, arrays, split):
    run.save_data(run.options, split, None)
    k = np.flatnonzero(split.validation_labels == split.labels[0])[0]
    index = split.validation_index.copy()
    index[k] = split.train_index[0]
    save_arrays(run, validation_index=index)
    with pytest.raises(UserError, match=r"split\.npz: .*a row that is trained on"):
        run.load_split(arrays)


@pytest.mark.parametrize(
    "changed",
    [
        {"train_index": np.arange(308) - 1},
        {"train_index": np.zeros(308, int)},
        {"train_index": np.arange(308) / 2},
        {"train_labels": np.zeros((308, 2), int)},
        {"train_labels": np.zeros(1, int)},
        {"protocol_index": np.full(250, 10**9)},
        {"validation_index": np.full(250, 10**9)},
        {"validation_labels": None},
        {"train_index": np.zeros(10**7)},
        {"train_index": np.array([{}])},
    ],
    ids=str,
)
def test_a_split_that_is_none_is_refused_in_a_line(run, arrays, split, changed):
    run.save_data(run.options, split, None)
    save_arrays(run, **changed)
    with pytest.raises(UserError, match=r"split\.npz") as caught:
        run.load_split(arrays)
    assert "\n" not in str(caught.value)
