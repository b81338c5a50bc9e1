"""Numbers in other notations are refused with a line that converts them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gamo_tf.data import column_checks, feature_table
from gamo_tf.errors import UserError

N = 40
K = range(N)
NUMBERS = {
    "thousands": ([f"{90000 + 401 * k:,}" for k in K], 90401),
    "millions": ([f"{9 * 10**6 + 401 * k:,}.5" for k in K], 9000401.5),
    "India": ([f"1,{k:02},000" for k in K], 101000),
    "Germany": ([f"{k + 1}.234,56" for k in K], 2234.56),
    "a comma": ([f"{k},5" for k in K], 1.5),
    "Switzerland": ([f"{k + 1}'000" for k in K], 2000),
    "spaces": ([f"{k + 1} 000" for k in K], 2000),
    "narrow spaces": ([f"{k + 1}\u202f000,5" for k in K], 2000.5),
    "dollars": ([f"${k}.50" for k in K], 1.5),
    "dollars lost": ([f"-${k + 1},000" for k in K], -2000),
    "euros": ([f"{k},50 €" for k in K], 1.5),
    "a currency": ([f"EUR {k}.50" for k in K], 1.5),
    "per cent": ([f"{k}%" for k in K], 1),
    "kilograms": ([f"{k} kg" for k in K], 1),
    "a unit without a space": ([f"{k}mm" for k in K], 1),
    "two ways to write a unit": ([f"{k} KG" if k % 2 else f"{k}kg" for k in K], 1),
    "rates": ([f"{k} mg/dl" for k in K], 1),
    "accounts": ([f"({k + 1})" for k in K], -2),
    "another minus": ([f"\u2212{k + 1}.5" for k in K], -2.5),
    "powers": ([f"{k}e3 " for k in K], 1000),
    "powers and units": ([f"{k}e3 m" for k in K], 1000),
    "thousands by a letter": ([f"{k}.5k" for k in K], 1500),
    "spaces behind": ([f"{k}  " for k in K], 1),
    "one word among them": (["?", *(f"{k},5" for k in range(1, N))], None),
}
NAMES = {
    "two units": [f"{k} {'kg' if k % 2 else 'lb'}" for k in K],
    "codes": [f"A{k}" for k in K],
    "codes with letters": [f"{k}a" for k in K],
    "postcodes": [f"{k:02}-950" for k in K],
    "postcodes of five digits": [f"0{2100 + k}" for k in K],
    "telephones": [f"{600 + k} 123 456" for k in K],
    "international telephones": [f"+48 {600 + k} 123 456" for k in K],
    "dates": [f"2020-01-{k % 28:02}" for k in K],
    "German dates": [f"{k:02}.02.2020" for k in K],
    "times": [f"12:{k}" for k in K],
    "versions": [f"1.2.{k}" for k in K],
    "ranges": [f"{k}-{k + 10}" for k in K],
    "ranges with units": [f"{k}-{k + 10} years" for k in K],
    "addresses": [f"{k} Main Street" for k in K],
    "pressures": [f"{120 + k}/80" for k in K],
    "few doses": ["5 mg", "10 mg"] * (N // 2),
    "few grades": ["1", "2", "3+", "3"] * (N // 4),
    "addresses of computers": [f"192.168.1.{k}" for k in K],
}


def column(values) -> pd.Series:
    return pd.Series(list(values) * 2, name="c")


@pytest.mark.parametrize("case", NUMBERS)
def test_the_line_converts(case):
    values, second = NUMBERS[case]
    t = pd.DataFrame({"c": column(values)})
    said = column_checks.complaint(t["c"], 't["c"]')
    line = said.partition("If they are numbers: ")[2].partition(" . If")[0]
    exec(line, {"pd": pd, "t": t})
    assert pd.api.types.is_numeric_dtype(t["c"])
    if second is None:
        assert t["c"].isna().sum() == 2 and "'?'" in said
    else:
        assert t["c"][1] == pytest.approx(second) and t["c"].notna().all()


@pytest.mark.parametrize("case", NAMES)
def test_names_are_not_refused(case):
    assert not column_checks.complaint(column(NAMES[case]), 't["c"]')
    as_bytes = pd.Series([b"x"])
    assert not column_checks.complaint(as_bytes.str.decode("utf-8"), "t")


def test_names_of_columns_tell_codes():
    values = pd.Series([f"{90210 + k}" for k in K])
    assert column_checks.complaint(values.rename("amount"), "t")
    for name in ("zip", "zip_code", "Postal Code", "phone", "PLZ"):
        assert not column_checks.complaint(values.rename(name), "t"), name


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("case", ["thousands", "dollars", "kilograms", "Germany"])
def test_tables(case, suffix, tmp_path):
    path = tmp_path / f"t{suffix}"
    frame = pd.DataFrame({"c": NUMBERS[case][0], "y": np.arange(N) % 4 // 3})
    write = frame.to_csv if suffix == ".csv" else frame.to_parquet
    write(path, index=False)
    with pytest.raises(UserError, match="column c holds 40 different numbers as text"):
        feature_table.read(path, "y")
    small = frame.head(8)  # so few are refused where none of them has a category
    write = small.to_csv if suffix == ".csv" else small.to_parquet
    write(path, index=False)
    with pytest.raises(UserError, match="column c holds 8 different numbers as text"):
        feature_table.read(path, "y")
