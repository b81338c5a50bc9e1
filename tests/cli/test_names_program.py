"""Tables with columns of names, from the command line."""

from __future__ import annotations

import json
import zipfile

import keras
import numpy as np
import pandas as pd
import pytest

import predict
import train_gamo
from gamo_tf.networks.saved import load_network
from gamo_tf.runs.run import Run


def people(n: int) -> pd.DataFrame:
    """Numbers, text, booleans and a mark of each row; "yes" is rare."""
    rng = np.random.default_rng(0)
    left = np.where(np.arange(n) % 8 == 0, "yes", "no")
    return pd.DataFrame(
        {
            "name": [f"person {k}" for k in range(n)],
            "job": np.where(left == "yes", "cook", rng.choice(["nurse", "clerk"], n)),
            "age": rng.integers(18, 70, n),
            "left": left,
            "city": rng.choice(["Kraków", "a, b", 'the "old" one'], n),
            "member": rng.random(n) < 0.5,
        }
    )


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_names_go_in_and_come_out(suffix, tmp_path, capsys):
    frame, path = people(160), tmp_path / f"people{suffix}"
    write = "to_csv" if suffix == ".csv" else "to_parquet"
    read = pd.read_csv if suffix == ".csv" else pd.read_parquet
    getattr(frame, write)(path, index=False)
    flags = ["--features", str(path), "--label", "left", "--iterations", "120"]
    flags += ["--runs-dir", str(tmp_path / "r")]
    balanced = tmp_path / f"balanced{suffix}"
    assert train_gamo.main([*flags, "--save-balanced", str(balanced)]) == 0
    said = capsys.readouterr().out
    assert "columns that identify rows: name." in said
    assert "columns of names, with their categories: job (3), city (3)" in said

    found = read(balanced)
    new = found[found["synthetic"]]
    assert (
        len(new) > 80 and (new["left"] == "yes").all() and (new["job"] == "cook").all()
    )
    parents = frame.iloc[new["parent_1"]]
    assert new["name"].isna().all()  # it identifies people
    for name in ("job", "city", "member"):
        assert new[name].tolist() == parents[name].tolist(), name
    kept = found[~found["synthetic"]]
    expected = frame.iloc[kept["row"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept[frame.columns], expected)

    run = Run.open(tmp_path / "r" / "00000-people-balanced-pairs-ce")
    assert run.options.shape == (5,) and run.options.categories == (0, 3, 0, 3, 0)
    # Two numbers, a column of one value for the names, and 3 + 3 indicators.
    assert load_network(run.model("F")).output_shape == (None, 9)
    later = pd.DataFrame({"age": 30, "job": ["cook", "pilot"], "city": "Kraków"})
    later = later.assign(name="x", member=True)
    getattr(later, write)(tmp_path / f"later{suffix}", index=False)
    asked = ["--run", str(run.path), str(tmp_path / f"later{suffix}")]
    export = ["--all-probabilities", "--export", str(tmp_path / "model")]
    assert predict.main([*asked, *export]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[1].split(",")[1] == "yes"
    assert "column job: 1 of 2 rows have none of the 3 categories" in err

    # The exported model takes positions, which its metadata names.
    file = tmp_path / "model" / "model.keras"
    facts = json.loads(zipfile.ZipFile(file).read("metadata.json"))
    assert facts["columns"] == ["name", "job", "age", "city", "member"]
    assert facts["categories"][1] == ["clerk", "cook", "nurse"]
    row = [-1, facts["categories"][1].index("cook"), 30]
    row += [facts["categories"][3].index("Kraków"), 1]
    p = keras.saving.load_model(file)(np.array([row], float)).numpy()
    written = [float(cell) for cell in out.splitlines()[1].split(",")[3:]]
    np.testing.assert_allclose(p[0], written, atol=1e-5)


def test_the_lines_that_fill_missing_values_are_told(tmp_path, capsys):
    frame = people(80)
    frame.loc[3, "age"] = None
    frame.loc[5, "job"] = None
    frame.to_csv(tmp_path / "p.csv", index=False)
    flags = ["--features", str(tmp_path / "p.csv"), "--label", "left"]
    assert train_gamo.main(flags) == 2
    error = capsys.readouterr().err
    assert "missing values: 2 row(s), in job, age." in error
    (read,) = (line for line in error.splitlines() if "pd.read_csv(" in line)
    assert read.strip().startswith("import pandas as pd; t = pd.read_csv(")
