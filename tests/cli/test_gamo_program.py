"""The program `gamo`: its subcommands, and what it does without TensorFlow."""

import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import gamo_tf
from gamo_tf.cli import main as gamo
from gamo_tf.config.methods import METHODS, RECOMMENDED
from gamo_tf.errors import command, speaking_to

ROOT = Path(gamo_tf.__file__).parent.parent

# Runs command lines one after the other in one process, and prints for each the exit
# code and what it wrote. The first word is a module with a function `main`.
RUN_ALL = """
import contextlib, importlib, io, json, sys
ends = []
for program, *arguments in json.loads(sys.argv[1]):
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown):
        try:
            code = importlib.import_module(program).main(arguments)
        except SystemExit as stop:
            code = stop.code
    assert not {"tensorflow", "keras"} & set(sys.modules), program
    ends.append((code, shown.getvalue()))
print(json.dumps(ends))
"""


def run_all(*lines: list[str]) -> list[tuple[int, str]]:
    """Exit code and output of each command line; none may import TensorFlow."""
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL, json.dumps(lines)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_help_lists_the_subcommands(capsys):
    assert gamo.main(["--help"]) == 0
    shown = capsys.readouterr().out
    names = ("train", "pix", "predict", "compare", "describe", "reproduce", "methods")
    for name in (*names, "runs"):
        assert f"\n  {name} " in shown


def test_methods_are_listed_and_one_is_recommended(capsys):
    assert gamo.main(["methods"]) == 0
    shown = capsys.readouterr().out
    for name, method in METHODS.items():
        assert f" {name} " in shown and method.title in shown
    assert gamo.main(["methods", "--recommended"]) == 0
    recommended = capsys.readouterr().out
    assert recommended == f"{RECOMMENDED}\n" and RECOMMENDED in METHODS
    assert shown.count("* ") == 2 and f"* {RECOMMENDED} " in shown
    command = f"--method {RECOMMENDED} "
    assert command in (ROOT / "README.md").read_text()


def test_version_without_tensorflow():
    packages = [f"{name} {version(name.lower())}" for name in ("TensorFlow", "Keras")]
    shown = f"gamo {gamo_tf.__version__} ({', '.join(packages)})\n"
    subcommands = [["gamo_tf.cli.main", name] for name in ("runs", "describe")]
    scripts = [["train_gamo"], ["train_gamo2pix"], ["predict"], ["reproduce"]]
    programs = [["gamo_tf.cli.main"], *subcommands, *scripts]
    ends = run_all(*([*program, "--version"] for program in programs))
    assert ends == [[0, shown]] * len(programs)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "trian: no such command; there are train, pix"),
        (["trian"], "Did you mean train?"),
        (["--dataset", "digits"], "gamo: --dataset: no such command"),
        ([], "usage: gamo COMMAND"),
    ],
)
def test_what_is_no_subcommand(arguments, message, capsys):
    assert gamo.main(arguments) == 2
    assert message in capsys.readouterr().err


def test_subcommands_help_under_their_name_without_tensorflow():
    lines = [["gamo_tf.cli.main", name, "--help"] for name in gamo.SUBCOMMANDS]
    for (*_, name, _), (code, shown) in zip(lines, run_all(*lines), strict=True):
        assert code == 0 and shown.startswith(f"usage: gamo {name} "), shown
        assert "example: python" not in shown and ".py" not in shown, shown


def test_scripts_help_under_their_file_name_without_tensorflow():
    scripts = ["train_gamo", "train_gamo2pix", "predict", "reproduce"]
    ends = run_all(*([script, "--help"] for script in scripts))
    for script, (code, shown) in zip(scripts, ends, strict=True):
        assert code == 0 and shown.startswith(f"usage: {script}.py "), shown
        assert re.search(rf"example: \S*python {script}\.py ", shown), shown


def test_wrong_flags_and_dry_run_do_not_need_tensorflow():
    wrong, dry = run_all(
        ["train_gamo", "--wrong"], ["train_gamo", "--dataset", "digits", "--dry-run"]
    )
    assert wrong[0] == 2 and "unrecognized arguments" in wrong[1]
    assert dry[0] == 0 and "nothing was done" in dry[1]


def test_messages_name_subcommands(tmp_path, capsys):
    flags = ["--runs-dir", str(tmp_path)]
    assert gamo.main(["predict", "x.png", *flags]) == 2
    error = capsys.readouterr().err
    assert error.startswith("gamo predict: ")
    with speaking_to("gamo"):
        assert command("train", "--dataset", "digits") in error
    assert gamo.main(["train", "--profile", "step", "--dataset", "digits"]) == 2
    assert capsys.readouterr().err == "gamo train: --profile needs --imbalance-ratio.\n"


def test_as_a_module():
    command = [sys.executable, "-m", "gamo_tf", "--version"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.startswith(f"gamo {gamo_tf.__version__} (TensorFlow ")
