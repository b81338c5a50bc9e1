"""Pictures: of any number of classes, whatever their names are."""

import warnings

import numpy as np
import pytest
from matplotlib.figure import Figure

from gamo_tf.cli import describe
from gamo_tf.config.options import Options, resolve
from gamo_tf.evaluation import image_grids, plots
from gamo_tf.experiments import report_plots

ODD = [
    "under_$5_to_$10",
    "_hidden",
    "__",
    "$x^2",
    r"a\$b$\frac{",
    "new\nline\ttab",
    "{}%s {0}",
    "a" * 300,
    "漢字",
    "\U0001f431",
    "\udcff",
    "=1+1",
    "nul\0",
]


def names(c: int) -> list[str]:
    return (ODD + [f"class {k}" for k in range(c)])[:c]


def history(classes: list[str], watched: str = "validation") -> list[dict]:
    rng = np.random.default_rng(0)
    keys = [f"{watched}_acsa", "train_gm", "loss_F", "test_acsa"]
    keys += [f"{watched}_recall_{n}" for n in classes]
    return [{"iteration": k, **dict.fromkeys(keys, rng.random())} for k in (1, 2)]


def options(classes: list[str]) -> Options:
    return resolve(
        {
            "dataset": "own_$1_$2",
            "data": "/x",
            "shape": (8, 8, 1),
            "classes": tuple(classes),
            "counts": (9, *range(2, len(classes) + 1)),
            "test_split": 0.2,
        }
    )


def parents(classes: list[str], side: int = 8) -> np.ndarray:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (9, side, side, 1), np.uint8)
    groups = np.repeat(np.arange(len(classes)), plots.LATENTS_SHOWN)
    top = rng.integers(0, 9, (len(groups), plots.PARENTS_SHOWN))
    return plots.parents_grid(images, top, np.ones(top.shape), groups, classes)


IMAGES = np.zeros((3, 8, 8, 1), np.uint8)
PICTURES = {
    "confusion": lambda c: plots.confusion_matrix(np.eye(len(c)), c, f"{c[0]}, test"),
    "curves": lambda c: plots.curves(history(c), c[0]),
    "parents": parents,
    "grid": lambda c: image_grids.grid([(n, IMAGES) for n in c], f"{c[0]}: {c[-1]}"),
    "describe": lambda c: describe.picture(options(c)),
    "recalls": lambda c: report_plots.recalls(
        [report_plots.RecallCurve(c[0], np.ones(len(c)), 0)], c, range(len(c))
    ),
    "scores": lambda c: report_plots.scores(
        [report_plots.MethodScores(n, False, {}) for n in c]
    ),
}


@pytest.mark.parametrize("c", [2, 13, 50, 200])
@pytest.mark.parametrize("kind", PICTURES)
def test_odd_names_and_many_classes_fit_a_picture(kind, c):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = PICTURES[kind](names(c))
    assert picture.dtype == np.uint8 and picture.std() > 1
    assert max(picture.shape[:2]) <= plots.MOST_PIXELS


@pytest.mark.parametrize("name", ODD, ids=ascii)
@pytest.mark.parametrize("kind", PICTURES)
def test_each_odd_name_alone(kind, name):
    assert PICTURES[kind]([name, "other"]).std() > 1


@pytest.mark.parametrize("name", ODD, ids=ascii)
def test_a_legend_has_every_name_to_the_letter(name):
    axes = Figure().subplots()
    axes.plot([1], label=plots.label(name))
    assert len(axes.get_legend_handles_labels()[0]) == 1
    text = axes.legend().get_texts()[0]
    plots.render(axes.figure)
    drawn, mathematics = text._preprocess_math(text.get_text())
    assert not mathematics and drawn.strip() == plots.cut(name)
    assert len(drawn) <= 41 and "\n" not in drawn


def test_long_names_end_in_an_ellipsis():
    assert plots.cut("a" * 41) == "a" * 39 + "…" and plots.cut("a" * 40) == "a" * 40
    assert plots.label("_" + "a" * 60).startswith(" _a")


def test_along_an_axis_at_most_forty_names_stand():
    places, texts = plots.ticks(names(10))
    assert list(places) == list(range(10)) and texts[0] == r"under_\$5_to_\$10"
    for c in (41, 200, 1000):
        places, texts = plots.ticks(names(c))
        assert 20 <= len(places) <= 40 and len(texts) == len(places)


def test_large_images_are_thinned_and_small_ones_stay():
    small = np.zeros((2, 64, 64, 3), np.uint8)
    assert plots.thinned(small).shape == small.shape
    large = np.zeros((2, 512, 512, 3), np.uint8)
    assert max(plots.thinned(large).shape[1:3]) <= 256
    assert max(parents(["a", "b"], 512).shape) < 700


def test_of_many_curves_the_lowest_are_shown(monkeypatch):
    figures = []
    monkeypatch.setattr(plots, "render", figures.append)
    rows = history([f"c{k}" for k in range(20)])
    rows[-1] |= {f"validation_recall_c{k}": k / 20 for k in range(20)}
    rows[-1]["validation_recall_c3"] = np.nan  # no validation image
    plots.curves(rows, "many")
    plots.curves(history([f"c{k}" for k in range(15)], "train"), "few")
    legends = [[line.get_label() for line in f.axes[0].lines] for f in figures]
    # No curve of the test set, which rows of earlier versions have.
    assert legends == [["validation ACSA", "train GM"], ["train ACSA", "train GM"]]
    many, few = (figure.axes[1] for figure in figures)
    shown = [text.get_text() for text in many.get_legend().get_texts()]
    assert shown == [f"c{k}" for k in (0, 1, 2, 4, 5, 6, 7, 8, 9, 10)]
    assert many.get_title() == "validation recall, lowest 10 of 20 classes"
    assert len(few.lines) == 15 and few.get_title() == "train recall by class"


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("with_generated", [True, False])
def test_a_grid_shows_each_class_on_a_line(channels, with_generated):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (9, 8, 8, channels), np.uint8)
    top = rng.integers(0, 9, (8, plots.PARENTS_SHOWN))
    weights = np.full(top.shape, 1 / 3)
    groups = np.repeat([0, 1], 4)
    generated = images[:8] if with_generated else None
    titles = ["first", "second"]
    picture = plots.parents_grid(images, top, weights, groups, titles, generated)
    one = plots.parents_grid(
        images, top[:4], weights[:4], groups[:4], titles, generated
    )
    assert picture.shape[0] > one.shape[0] and picture.shape[1] == one.shape[1]
    assert picture.dtype == np.uint8 and picture.std() > 10


def test_a_confusion_matrix_of_many_classes_has_no_numbers():
    few = plots.confusion_matrix(np.eye(3), ["a", "b", "c"], "few")
    many = plots.confusion_matrix(np.eye(30), [str(k) for k in range(30)], "many")
    assert few.shape[0] < many.shape[0]
