"""The numbers that settings may have, and how a message shows one that is not."""

import json
from pathlib import Path

import numpy as np
import pytest

from gamo2pix.options import PixOptions
from gamo_tf.config.checks import RANGES, Range, check_counts, check_range, shown
from gamo_tf.config.dataset_specs import user_spec
from gamo_tf.config.options import Options, resolve
from gamo_tf.data.splits import profile_counts
from gamo_tf.errors import UserError, speaking_to

ROOT = Path(__file__).resolve().parents[2]
NO_NUMBERS = [float("nan"), float("inf"), -float("inf"), 10**400, -(10**400), True, "1"]
OF_A_RUN = [name for name in RANGES if hasattr(Options, name)]
OF_A_RUN += ["iterations", "checkpoint_every", "evaluate_every", "test_per_class"]


@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda x: f"{x}"[:6])
@pytest.mark.parametrize("name", RANGES)
def test_no_setting_takes_what_is_no_finite_number(name, value):
    with pytest.raises(UserError) as refused:
        check_range(name, value)
    assert str(refused.value).startswith(name) and len(str(refused.value)) < 120


@pytest.mark.parametrize("value", NO_NUMBERS[:5], ids=lambda x: f"{x}"[:6])
@pytest.mark.parametrize("name", OF_A_RUN)
def test_a_run_has_no_such_setting_from_python_either(name, value):
    with pytest.raises(UserError, match=f"^{name} .*: expected "):
        resolve({"dataset": "digits", name: value})


@pytest.mark.parametrize("name", RANGES)
def test_the_ends_of_a_range_are_as_its_message_says(name):
    allowed = RANGES[name]
    assert (allowed.low in allowed) is not allowed.above
    assert (allowed.high in allowed) is not allowed.below
    for outside in (allowed.low - 1, 2 * allowed.high + 1):
        with pytest.raises(UserError) as refused:
            check_range(name, outside)
        assert f"expected {allowed}." in str(refused.value)


def test_a_message_names_the_flag_and_the_range():
    with (
        speaking_to("gamo"),
        pytest.raises(UserError) as refused,
    ):
        resolve({"dataset": "digits", "seed": 2**32})
    assert str(refused.value) == "--seed 4294967296: expected 0 to 4294967295."
    assert str(Range(0, 1, above=True, below=True)) == "above 0 and below 1"
    assert str(Range(0, 1, below=True)) == "0 to below 1"


def test_whole_numbers_are_whole_and_numpys_are_numbers():
    assert 3.0 not in RANGES["seed"] and 3 in RANGES["seed"]
    assert np.int64(3) in RANGES["seed"] and np.float32(0.1) in RANGES["ema"]
    assert np.float64("nan") not in RANGES["ema"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7, "7"),
        (-(10**19), "-10000000000000000000"),
        (10**400, "10**400"),
        (-(10**9000), "-10**9000"),
        (0.1, "0.1"),
        ("a\n", r"'a\n'"),
        (None, "None"),
    ],
    ids=lambda x: f"{x}"[:9] if not isinstance(x, int) else "",
)
def test_a_value_is_shown_short(value, text):
    assert shown(value) == text


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ((5, 10**10), "10000000000 of class b; expected 2 to 1000000000"),
        ((5, 10**400), r"10\*\*400 of class b"),
        ((5, -(10**400)), r"class b would have -10\*\*400 sample"),
        ((5, 5, 5), "3 numbers given, 2 classes"),
        ((5, 5), "no minority class"),
    ],
    ids=str,
)
def test_sizes_of_classes(counts, message):
    spec = user_spec(name="x", shape=(2,), classes=("a", "b"), counts=(5, 2))
    with pytest.raises(UserError, match=message):
        check_counts(counts, spec)


def test_number_of_classes():
    n = 10_001
    classes, counts = tuple(map(str, range(n))), (3, *[2] * (n - 1))
    spec = user_spec(name="x", shape=(2,), classes=classes, counts=counts)
    with pytest.raises(UserError, match="10001 classes; expected 2 to 10000"):
        check_counts(counts, spec)
    nothing = user_spec(name="x", shape=(2,), classes=(), counts=())
    with pytest.raises(UserError, match="no classes"):
        check_counts((), nothing)


@pytest.mark.parametrize("ratio", [0.5, float("nan"), float("inf"), 1e300])
def test_a_ratio_is_finite(ratio):
    with pytest.raises(UserError, match=r"imbalance_ratio .*: expected 1 to"):
        profile_counts(100, 3, ratio, "step")


@pytest.mark.parametrize(
    "wrong",
    [
        {"seed": 2**32},
        {"seed": "0"},
        {"iterations": 0},
        {"latent": 10**9},
        {"batch_size": 1.5},
        {"learning_rate": float("nan")},
    ],
    ids=str,
)
def test_settings_of_gamo2pix(wrong):
    with pytest.raises(UserError, match=next(iter(wrong))):
        PixOptions(**wrong)
    assert PixOptions(seed=2**32 - 1).iterations is None


def test_options_of_all_kept_runs_still_load():
    lines = (ROOT / "docs/results/runs.jsonl").read_text(encoding="utf-8").splitlines()
    for line in lines:
        Options.from_json(json.loads(line)["options"])
    assert len(lines) >= 150
