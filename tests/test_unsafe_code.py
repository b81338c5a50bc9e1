"""No program of ours runs what is in a stranger's file (`make audit`)."""

import sys

import pytest
from test_documents import ROOT

sys.path.append(str(ROOT / "tests" / "soak"))
from audit import dangers, own_code


def test_our_code_has_no_dangerous_call():
    assert own_code() == []


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from joblib import load",
        "eval(text)",
        "exec(code)",
        "os.system(command)",
        "subprocess.run(command, shell=True)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "pd.read_pickle(path)",
        "keras.saving.load_model(path)",
        "keras.saving.load_model(path, safe_mode=False)",
        "Image.open(path)",
        "tar.extractall(folder)",
        "torch.load(path)",
    ],
)
def test_each_kind_of_danger_is_found(line):
    assert {number for number, _ in dangers(f"x = 1\n{line}\n")} == {2}


@pytest.mark.parametrize(
    "line",
    [
        "np.load(path, allow_pickle=False)",
        "keras.saving.load_model(path, safe_mode=True, compile=False)",
        "Image.open(path, formats=FORMATS)",
        "json.loads(text)",
        "subprocess.run(words, check=True)",
    ],
)
def test_what_is_safe_is_let_be(line):
    assert list(dangers(line)) == []
