"""The commands in the documents are understood by the programs that they start."""

from __future__ import annotations

import argparse
import contextlib
import io
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from test_documents import ROOT, blocks, each_document, spans

import gamo2pix.cli
from gamo_tf.cli import flags
from gamo_tf.cli.main import SUBCOMMANDS, main
from gamo_tf.errors import SCRIPTS
from reproduction import reproduce

PARSERS = {
    "train": lambda: flags.parser("train", None),
    "describe": lambda: flags.parser("describe", None),
    "pix": gamo2pix.cli.parser,
    "reproduce": reproduce.parser,
}
PROGRAM = re.compile(
    r"(\.venv/bin/)?(gamo|python -m gamo_tf|(python )?(?P<script>\w+\.py))(?= |$)"
)


def lines(path: Path) -> Iterator[str]:
    """Lines of code blocks without their comments, and spans: what may be commands."""
    for block in blocks(path):
        yield from (re.sub(r"\s#.*", "", line) for line in block.splitlines())
    yield from spans(path)


def commands(path: Path) -> Iterator[tuple[str, str]]:
    """The subcommand of `gamo` that a command line starts, and its arguments."""
    subcommands = {script: name for name, script in SCRIPTS.items()}
    for line in lines(path):
        found = PROGRAM.match(line)
        if not found:
            continue
        rest = line[found.end() :].strip()
        if found["script"]:
            if found["script"] in subcommands:
                yield subcommands[found["script"]], rest
        elif rest and not rest.startswith(("-", "COMMAND")):
            name, _, arguments = rest.partition(" ")
            yield name, arguments


# Programs that show flags few need by another flag.
_ALL = dict.fromkeys(("train", "describe"), "--help-all")


@cache
def known_flags(program: str) -> frozenset[str]:
    """The flags in the help of a subcommand."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.raises(SystemExit):
        main([program, _ALL.get(program, "--help")])
    return frozenset(re.findall(r"--[a-z][\w-]*", out.getvalue()))


@each_document
def test_commands_are_understood(path):
    for program, arguments in commands(path):
        assert program in SUBCOMMANDS, f"gamo {program}: there is no such command"
        used = set(re.findall(r"--[a-z][\w-]*", arguments))
        odd = used - known_flags(program)
        assert not odd, f"{program} {arguments}: has no {', '.join(odd)}"
        words = shlex.split(re.sub(r"\s[>|].*", "", arguments))
        # Without arguments, and without the class that `pix` needs, a span names the
        # program, and perhaps a flag, rather than a whole command.
        whole = bool(words) and (program != "pix" or "--class" in words)
        if whole and program in PARSERS:
            parse(PARSERS[program](), words)


def parse(parser: argparse.ArgumentParser, words: list[str]) -> None:
    """Fails where the parser refuses the words."""
    try:
        parser.parse_args(words)
    except SystemExit as err:
        assert err.code == 0, f"refused: {' '.join(words)}"


@each_document
def test_flags_exist(path):
    """Those that stand alone, of whichever program."""
    known = {"--help", "--version"}.union(*map(known_flags, SUBCOMMANDS))
    for script in ROOT.glob("benchmarks/*.py"):
        known |= set(re.findall(r"--[a-z][\w-]*", script.read_text(encoding="utf-8")))
    for span in spans(path):
        if span.startswith("--"):
            odd = set(re.findall(r"(?<!\S)--[a-z][\w-]*", span)) - known
            assert not odd, f"{span}: no program has it"


@each_document
def test_flags_of_benchmarks_exist(path):
    for line in lines(path):
        found = re.search(r"(benchmarks/\w+\.py)(.*)", line)
        if found:
            text = (ROOT / found[1]).read_text(encoding="utf-8")
            odd = set(re.findall(r"--[a-z][\w-]*", found[2]))
            assert all(f'"{flag}"' in text for flag in odd), line


@each_document
def test_targets_of_make_exist(path):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"(?m)^([a-z-]+):", makefile))
    for line in lines(path):
        if line.startswith("make "):
            assert set(line.split()[1:]) <= targets, f"{line}: no such target"
