"""Peers: samplers and classifiers of other libraries on the same splits."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gamo_tf.comparison import peer_fit
from gamo_tf.comparison.peers import PEERS
from gamo_tf.config.options import resolve
from gamo_tf.data.splits import Split
from gamo_tf.errors import UserError
from gamo_tf.estimators import input_checks


def test_peers_are_named_by_what_they_are():
    assert PEERS["smote+boosting"].title == "SMOTE + gradient boosting"
    code = PEERS["adasyn+logistic"].code(names=False)
    assert code.startswith("make_pipeline(StandardScaler(), ADASYN(), Logistic")


def mixed_frame(n: int, seed: int = 0) -> pd.DataFrame:
    """Numbers and names that both tell something of the class."""
    rng = np.random.default_rng(seed)
    kind = np.where(np.arange(n) % 5 == 0, "rare", "often")
    colour = np.where(
        rng.random(n) < 0.2, "green", np.where(kind == "rare", "red", "blue")
    )
    return pd.DataFrame(
        {
            "x": rng.normal(size=n) + (kind == "rare"),
            "colour": colour,
            "z": rng.normal(size=n) * 100,
            "size": rng.choice(["s", "m", "l"], n),
            "kind": kind,
        }
    )


@pytest.mark.parametrize("method", PEERS)
def test_peers_on_columns_of_names(method):
    frame = mixed_frame(150)
    X, known = input_checks.as_numbers(frame.drop(columns="kind"))
    y = (frame["kind"] == "rare").to_numpy(int)
    table = X.to_numpy()
    nothing = np.zeros(0, int)
    split = Split(table, y, table, y, nothing, nothing, table, y)
    chosen = {
        "dataset": "memory",
        "data": "memory",
        "classes": ("often", "rare"),
        "shape": (4,),
        "categories": input_checks.sizes(known),
        "counts": tuple(np.bincount(y).tolist()),
        "iterations": 20,
    }
    found = peer_fit.fit(method, resolve(chosen), split)
    # Without the colours hardly more than 0.7 is possible.
    assert found["test_full"]["acsa"] > 0.85
    with pytest.raises(UserError, match="needs columns of names"):
        peer_fit.fit("smotenc+logistic", replace(resolve(chosen), categories=()), split)


CODE: dict = {}  # what a reader has imported
exec(
    "from gamo_tf import GAMO\n"
    "from imblearn.pipeline import make_pipeline\n"
    "from imblearn.over_sampling import *\n"
    "from sklearn.compose import make_column_transformer\n"
    "from sklearn.preprocessing import OneHotEncoder, StandardScaler\n"
    "from sklearn.discriminant_analysis import LinearDiscriminantAnalysis\n"
    "from sklearn.linear_model import LogisticRegression, LogisticRegressionCV\n"
    "from sklearn.ensemble import HistGradientBoostingClassifier\n",
    CODE,
)


@pytest.mark.parametrize("method", PEERS)
def test_the_code_of_a_peer_runs(method):
    """What the answer tells a reader to paste."""
    frame = mixed_frame(150)
    NAMES, NUMBERS = ["colour", "size"], ["x", "z"]
    known = {**CODE, "NAMES": NAMES, "NUMBERS": NUMBERS}
    named = method.startswith("smotenc+")
    for names in (True,) if named else (False, True):
        X = frame[[*NUMBERS, *NAMES]] if names else frame[NUMBERS]
        code = PEERS[method].code(names).replace("GAMO()", "GAMO(iterations=20)")
        model = eval(code, dict(known)).fit(X, frame["kind"])
        assert model.score(X, frame["kind"]) > 0.5
