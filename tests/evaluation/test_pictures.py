"""Pictures: of any number of classes, whatever their names are."""

import warnings

import numpy as np
import pytest
from matplotlib.figure import Figure

from gamo_tf.cli import describe
from gamo_tf.config.options import Options, resolve
from gamo_tf.evaluation import image_grids, plots, style
from reproduction import report_plots

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


def parents(classes: list[str], side: int = 8, channels: int = 1) -> np.ndarray:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (9, side, side, channels), np.uint8)
    groups = np.repeat(np.arange(len(classes)), image_grids.LATENTS_SHOWN)
    top = rng.integers(0, 9, (len(groups), image_grids.PARENTS_SHOWN))
    return image_grids.parents_grid(
        images,
        top,
        np.full(top.shape, 0.25),
        groups,
        classes,
        images[top[:, 0]],
        "mixed",
        ["latent 1", "latent 2", "latent 3"],
        f"parents of {classes[0]}",
    )


@pytest.fixture
def figures(monkeypatch) -> list[Figure]:
    """The figures that are drawn, with all that is in them."""
    drawn: list[Figure] = []
    render = plots.render
    monkeypatch.setattr(plots, "render", lambda f: drawn.append(f) or render(f))
    return drawn


def words(figure: Figure) -> list[str]:
    """All texts of a figure's panels."""
    return [text.get_text() for axes in figure.axes for text in axes.texts]


IMAGES = np.zeros((3, 8, 8, 1), np.uint8)
PICTURES = {
    "confusion": lambda c: plots.confusion_matrix(np.eye(len(c)), c, f"{c[0]}, test"),
    "curves": lambda c: plots.curves(history(c), c[0], {}),
    "parents": parents,
    "grid": lambda c: image_grids.grid([(n, IMAGES) for n in c], f"{c[0]}: {c[-1]}"),
    "describe": lambda c: describe.picture(options(c)),
    "recalls": lambda c: report_plots.recalls(
        [report_plots.MethodRecalls(c[0], np.ones((1, len(c))), 0)],
        c,
        range(len(c)),
        c[0],
    ),
    "scores": lambda c: report_plots.scores(
        [report_plots.MethodScores(n, False, {}) for n in c], 0.95, c[0]
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
    assert max(parents(["a", "b"], 512).shape) < 1000


def panels(figure: Figure) -> dict[str, object]:
    return {axes.get_title(loc="left"): axes for axes in figure.axes}


def test_validation_and_training_have_panels_of_their_own(figures):
    plots.curves(history(["a", "b"]), "the run", {"a": 9, "b": 4})
    (figure,) = figures
    assert list(panels(figure)) == [
        "Validation rows",
        "Training rows",
        "Recall of each class, validation rows",
        "Losses of F and M",
    ]
    assert figure.get_suptitle() == "the run"
    for axes in figure.axes:  # names stand at the lines, and both axes are named
        assert axes.get_legend() is None and axes.get_xlabel() and axes.get_ylabel()
    # No curve of the test set, which rows of earlier versions have.
    assert [len(axes.lines) for axes in figure.axes] == [1, 1, 2, 1]
    said = [text.split("  ")[0] for text in words(figure)]
    assert said == ["ACSA", "GM", "a (n=9)", "b (n=4)", "F"]


def test_adversarial_losses_have_a_panel_of_their_own(figures):
    rows = history(["a"], "train")
    for row in rows:
        row |= dict.fromkeys(["loss_M_real", "loss_D_real", "loss_G_vs_M"], 0.5)
    plots.curves(rows, "", {})
    found = panels(figures[0])
    assert "Validation rows" not in found
    named = {
        title: [text.get_text() for text in axes.texts] for title, axes in found.items()
    }
    assert named["Losses of F and M"] == ["F", "M real"]
    assert named["Adversarial losses"] == ["D real", "G vs M"]
    plots.curves(
        [{"iteration": 1, "loss_D": 1.0, "loss_G": 2.0, "train_gm": 0.5}], "", {}
    )
    assert "Losses of F and M" not in panels(figures[1])


def test_equal_lines_are_drawn_apart(figures):
    plots.curves(history(["a", "b", "c"]), "", {})
    lines = panels(figures[0])["Recall of each class, validation rows"].lines
    point = (1, 0.5)
    heights = [line.get_transform().transform(point)[1] for line in lines]
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2])
    assert 1 < heights[0] - heights[1] < 3  # pixels


def test_names_keep_a_gap_and_their_order():
    found = style.spread_out([0.5, 0.5, 0.9, 0.52], 0.1)
    np.testing.assert_allclose(found, [0.5067, 0.4067, 0.9, 0.6067], atol=1e-4)
    np.testing.assert_allclose(style.spread_out([0.2, 0.8], 0.1), [0.2, 0.8])


def test_of_many_curves_the_lowest_are_shown(figures):
    rows = history([f"c{k}" for k in range(20)])
    rows[-1] |= {f"validation_recall_c{k}": k / 20 for k in range(20)}
    rows[-1]["validation_recall_c3"] = np.nan  # no validation image
    plots.curves(rows, "many", {})
    plots.curves(history([f"c{k}" for k in range(15)], "train"), "few", {})
    many = panels(figures[0])["Recall, validation rows, lowest 10 of 20 classes"]
    shown = [text.get_text().split("  ")[0] for text in many.texts]
    assert shown == [f"c{k}" for k in (0, 1, 2, 4, 5, 6, 7, 8, 9, 10)]
    few = panels(figures[1])["Recall of each class, training rows"]
    assert len(few.lines) == 15


@pytest.mark.parametrize("channels", [1, 3])
def test_a_grid_shows_each_class_on_a_line(channels, figures):
    names = ["first", "a name of two lines, all of which is there"]
    picture, one = (parents(names[:n], channels=channels) for n in (2, 1))
    assert picture.shape[0] > one.shape[0] and picture.dtype == np.uint8
    assert picture.std() > 10
    said = words(figures[0])
    assert said[:5] == ["latent 1", "mixed", "heaviest", "second", "third"]
    assert said.count("0.25") == 2 * 3 * 3
    assert "a name of two lines, all\nof which is there" in said
    assert figures[0].get_suptitle() == "parents of first"


def test_blocks_and_parts_of_a_grid_stand_apart(figures):
    plain = image_grids.grid([("a", IMAGES), ("", IMAGES)], "t")
    blocks = image_grids.grid([("a", IMAGES), ("b", IMAGES)], "t")
    assert blocks.shape[0] > plain.shape[0] and words(figures[1]) == ["a", "b"]
    heads = [("left", 2), ("right", 1)]
    parts = image_grids.grid([("a", IMAGES)], "t", heads)
    assert parts.shape[1] > plain.shape[1]
    assert words(figures[2]) == ["a", "left", "right"]
    wide = image_grids.grid([("a", np.zeros((15, 8, 8, 1), np.uint8))], "t")
    assert wide.shape[1] > plain.shape[1]


def test_a_confusion_matrix_of_many_classes_has_no_numbers(figures):
    few = plots.confusion_matrix(np.eye(3), ["a", "b", "c"], "few")
    many = plots.confusion_matrix(np.eye(30), [str(k) for k in range(30)], "many")
    assert few.shape[0] < many.shape[0]
    assert len(words(figures[0])) == 9 and not words(figures[1])
    labels = [text.get_text() for text in figures[0].axes[0].get_yticklabels()]
    assert labels == ["a (n=1)", "b (n=1)", "c (n=1)"]


def test_one_seed_looks_less_sure_than_three(figures):
    one = report_plots.Spread((0.5,), None, None)
    three = report_plots.Spread((0.4, 0.5, 0.6), 0.25, 0.75)
    methods = [
        report_plots.MethodScores(name, False, {("", "acsa"): spread})
        for name, spread in (("one", one), ("three", three))
    ]
    report_plots.scores(methods, 0.95, "digits")
    acsa, gm = figures[0].axes
    assert acsa.get_xlim() == gm.get_xlim()  # one scale
    labels = [text.get_text() for text in acsa.get_yticklabels()]
    assert labels == ["one  (1 seed)", "three  (3 seeds)"]
    marks = [line for line in acsa.lines if line.get_marker() == "o"]
    hollow = [
        mark.get_markerfacecolor() == "white" for mark in marks if len(mark.get_xdata())
    ]
    assert hollow == [True, False]
    (interval,) = [
        line for line in acsa.lines if list(line.get_xdata()) == [0.25, 0.75]
    ]
    assert set(interval.get_ydata()) == {1.15}
    assert not acsa.get_legend() and len(figures[0].legends) == 1


def test_nothing_is_drawn_from_one_class_to_another(figures):
    methods = [
        report_plots.MethodRecalls("ours", np.array([[0.9, 0.2], [0.7, 0.4]]), 0),
        report_plots.MethodRecalls("single", np.array([[0.5, 0.6]]), 1),
        report_plots.MethodRecalls("grey", np.array([[0.1, 0.1]]), None),
    ]
    report_plots.recalls(methods, ["large", "small"], [90, 3], "digits")
    (axes,) = figures[0].axes
    assert all(len(set(line.get_ydata())) == 1 for line in axes.lines)
    said = [
        "ours  0.80",
        "single  0.50",
        "ours  0.30",
        "single  0.60",
        "the others (1)",
    ]
    assert words(figures[0]) == said
    labels = [text.get_text() for text in axes.get_yticklabels()]
    assert labels == ["large\nn=90", "small\nn=3"]
    assert axes.get_xlabel().endswith(
        "mean of 1 or 2 seeds; line: lowest to highest seed; hollow: one seed"
    )
