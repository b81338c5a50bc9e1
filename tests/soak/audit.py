"""Known vulnerabilities of the pinned packages, and dangerous calls in our own code.

Run by ``make audit``. Exit code 0: nothing found; 1: something was. What could not be
looked up is said, because it is no good news.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# Modules that run what is in a file, and calls that do.
_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}
_CALLS = {
    *("eval", "exec", "compile", "__import__", "os.system", "os.popen"),
    *("pd.read_pickle", "pandas.read_pickle", "torch.load", "yaml.load"),
    *("keras.config.enable_unsafe_deserialization", "np.fromregex"),
}
# Calls that are safe with these arguments only.
_WITH = {
    "np.load": {"allow_pickle": False},
    "load_model": {"safe_mode": True},
    "extractall": {"filter": "data"},
}
# Calls that need an argument, whatever its value is.
_NEEDS = {"Image.open": "formats"}
_NEVER = {"allow_pickle": True, "safe_mode": False, "shell": True}


def dangers(source: str) -> Iterator[tuple[int, str]]:
    """Lines of a program that could run what a stranger's file says.

    Args:
      source: of the program.

    Yields:
      Line and reason.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                if name.split(".")[0] in _MODULES:
                    yield node.lineno, f"imports {name}"
        if isinstance(node, ast.Call):
            yield from _call(node)


def _call(node: ast.Call) -> Iterator[tuple[int, str]]:
    name = ast.unparse(node.func)
    given = {
        word.arg: word.value.value if isinstance(word.value, ast.Constant) else ...
        for word in node.keywords
        if word.arg
    }
    if name in _CALLS:
        yield node.lineno, f"calls {name}"
    for suffix, needed in _WITH.items():
        if name == suffix or name.endswith(f".{suffix}"):
            for word, value in needed.items():
                if given.get(word) != value:
                    yield node.lineno, f"calls {name} without {word}={value!r}"
    for suffix, word in _NEEDS.items():
        if name.endswith(suffix) and word not in given:
            yield node.lineno, f"calls {name} without {word}"
    for word, value in _NEVER.items():
        if given.get(word, ...) is value:
            yield node.lineno, f"calls {name} with {word}={value!r}"


def own_code() -> list[str]:
    """Dangerous lines of this project's programs, as FILE:LINE: reason."""
    files = [*ROOT.glob("gamo_tf/**/*.py"), *ROOT.glob("gamo2pix/**/*.py")]
    files += ROOT.glob("*.py")
    return [
        f"{path.relative_to(ROOT)}:{line}: {reason}"
        for path in sorted(files)
        for line, reason in dangers(path.read_text(encoding="utf-8"))
    ]


def packages() -> tuple[list[str], list[str]]:
    """Vulnerabilities of the pinned packages, and the packages that were not found in
    the index of them."""
    words = [sys.executable, "-m", "pip_audit", "--format", "json", "--no-deps"]
    words += ["--disable-pip", "--requirement", str(ROOT / "requirements.txt")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600)
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return [], [done.stderr.strip().splitlines()[-1] if done.stderr else "all"]
    known = [
        f"{package['name']} {package['version']}: {vulnerability['id']}"
        for package in found
        for vulnerability in package.get("vulns", [])
    ]
    return known, [package["name"] for package in found if "skip_reason" in package]


def main() -> int:
    code = own_code()
    for line in code:
        print(line)
    print(f"own code: {len(code)} dangerous line(s)")
    known, unknown = packages()
    for line in known:
        print(line)
    print(f"pinned packages: {len(known)} known vulnerabilities")
    if unknown:
        print(f"no index of vulnerabilities was reached for: {', '.join(unknown)}")
    return int(bool(code or known))


if __name__ == "__main__":
    sys.exit(main())
