"""Commands that a person copies run as they are printed."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from gamo_tf import command_lines
from gamo_tf.errors import (
    command,
    flag,
    portable_command,
    setting,
    speaking_to,
    tensorboard,
)

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    "name",
    [
        "plain",
        "my photos",
        "it's",
        "$HOME",
        "a;rm b",
        "(x)*",
        "caf\u00e9",
        "",
        "-x",
        "~",
    ],
)
def test_a_shell_reads_what_was_given(name):
    with speaking_to("scripts"):
        for line in (
            command("train", "--image-folder", name),
            portable_command("train", "--image-folder", name),
            tensorboard(name),
        ):
            assert shlex.split(line)[-1] == name
        parser_sees = shlex.split(setting("image_folder", name))
        assert parser_sees in (["--image-folder", name], [f"--image-folder={name}"])


@pytest.mark.parametrize("name", ["two\nlines", "tab\t'x' \\n", "\x1b[1m", "a\u2028b"])
def test_control_characters_stay_on_the_line(name):
    line = command_lines.joined("printf", "%s", name)
    assert line.isprintable()
    done = subprocess.run(["bash", "-c", line], capture_output=True, check=True)
    assert done.stdout.decode() == name
    odd = os.fsdecode(b"\xff.png")
    done = subprocess.run(
        ["bash", "-c", command_lines.joined("printf", "%s", odd)], capture_output=True
    )
    assert done.stdout == b"\xff.png"


def test_values_as_flags_take_them():
    assert flag("counts", (300, 20)) == "--counts 300,20"
    assert flag("runs_dir", "-r") == "--runs-dir=-r"
    assert setting("counts", [300, 20]) == "counts 300,20"  # in Python
    assert setting("label") == "label"


def test_the_python_that_runs_is_named(tmp_path, monkeypatch):
    for folder in ("env/bin", "other/bin"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "python").symlink_to(os.path.realpath(sys.executable))
    env, other = tmp_path / "env" / "bin", tmp_path / "other" / "bin"
    monkeypatch.setattr(sys, "executable", str(env / "python"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{other}:{env}")
    assert command_lines.python() == "env/bin/python"
    monkeypatch.setenv("PATH", f"{env}:{other}")
    assert command_lines.python() == "python"
    monkeypatch.setenv("PATH", "")
    monkeypatch.chdir(other)
    assert command_lines.python() == str(env / "python")
    assert tensorboard("t").endswith("python -m tensorboard.main --logdir t")
    (env / "tensorboard").touch(0o755)
    assert tensorboard("t") == f"{env}/tensorboard --logdir t"
    (env / "gamo").touch(0o755)
    assert command("train") == f"{env}/gamo train"
    monkeypatch.setenv("PATH", str(env))
    assert (tensorboard("t"), command("train")) == (
        "tensorboard --logdir t",
        "gamo train",
    )
    monkeypatch.setattr(sys, "executable", "")
    assert command_lines.python() == "python"


@pytest.mark.slow
@pytest.mark.parametrize("caller", ["scripts", "gamo"])
@pytest.mark.parametrize("place", ["checkout", "elsewhere"])
def test_printed_commands_run(caller, place, tmp_path, monkeypatch):
    folder = tmp_path / "a folder's name"
    folder.mkdir()
    monkeypatch.chdir(ROOT if place == "checkout" else folder)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    with speaking_to(caller):
        dry = command("train", "--dataset", "digits", "--runs-dir", folder, "--dry-run")
        lines = {dry: "nothing was done", command("methods"): "convex"}
        lines[command("predict", "--help")] = "example: "
    for line, expected in lines.items():
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
        assert done.returncode == 0, (line, done.stderr)
        assert expected in done.stdout
