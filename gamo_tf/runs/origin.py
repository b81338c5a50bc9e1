"""What a run was begun with: its settings, the user's rows, and digests of the data.

``data.json`` is written once, before the training. Whatever reads the data for the run
later compares it, so that a changed table, image or setting is refused by its name and
never trained on. The places of files (`PLACES`) may change: data can be moved.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd

from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.config.options import Options
from gamo_tf.data import row_sets
from gamo_tf.data.splits import Split
from gamo_tf.errors import UserError, printable, setting
from gamo_tf.stored import (
    check_digest,
    digest,
    read_bytes,
    read_object,
    reading,
    write_json,
)

# Settings that say where data and pretrained weights lie; digests know the contents.
PLACES = {"data", "test_data", "backbone", "backbone_weights"}


def save(
    path: Path, options: Options, split: Split, rows: Path | None, identity: dict
) -> None:
    """Write data.json.

    Args:
      path: of the file.
      options: settings of the run.
      split: what it trains, is watched and is tested on.
      rows: its rows.csv; None: a published dataset.
      identity: of the user's data (see `UserData`).
    """
    values: dict = {"options": options.to_json(), "identity": identity}
    if rows:
        values["rows"] = digest(read_bytes(rows))
    else:  # the digests of a user's data are those of his files
        values |= _digests(split, len(options.counts))
    write_json(path, values)


def read(path: Path) -> dict:
    """The content of data.json.

    Args:
      path: of the file.

    Returns:
      What `save` wrote; empty where there is none, as in runs of earlier versions.

    Raises:
      UserError: it cannot be read, or is not as it was written.
    """
    if not path.exists():
        return {}
    with reading(path):
        values = read_object(path, always_sealed=True)
        if not all(isinstance(values.get(k), dict) for k in ("options", "identity")):
            raise UserError("expected options and identity.")
        return values


def check_options(options: Options, known: dict) -> None:
    """Make sure that settings are those that the run was begun with.

    Args:
      options: as options.json has them now.
      known: content of data.json; empty for a run of an earlier version.

    Raises:
      UserError: a setting differs.
    """
    if not known:
        return
    begun = Options.from_json(known["options"]).to_json()
    for name, value in options.to_json().items():
        moved = name in PLACES and value and begun[name]
        if value != begun[name] and not moved:
            raise UserError(
                f"{name} is {value!r} now; the run was begun with {begun[name]!r}. Put "
                "it back."
            )


def read_rows(path: Path, options: Options, known: dict) -> pd.DataFrame:
    """The rows of the user's data (`UserData.rows`).

    Args:
      path: of rows.csv.
      options: settings of the run.
      known: content of data.json; empty for a run of an earlier version.

    Raises:
      UserError: the file cannot be read, is not as it was written, or does not fit the
        settings.
    """
    with reading(path):
        content = read_bytes(path)
        if known:
            check_digest(content, known.get("rows"))
        rows = pd.read_csv(
            BytesIO(content),
            dtype=object,  # names of files that are not UTF-8 fit no other
            keep_default_na=False,
            encoding_errors="surrogateescape",
        )
        missing = {"set", "source", "label"} - set(rows.columns)
        if missing:
            raise UserError(f"no column {', '.join(sorted(missing))}.")
        rows["label"] = rows["label"].map(_position)
        if options.label:
            rows["source"] = rows["source"].map(_position).astype(np.int64)
        else:
            rows["source"] = _moved(rows["source"], options, known)
        _check_rows(rows, options)
        return rows


def _position(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise UserError(f"{printable(text)!r} is no whole number of 0 or more.")
    return int(text)


def _moved(sources: pd.Series, options: Options, known: dict) -> pd.Series:
    """Files of a folder that was moved, where options.json says that it was."""
    begun = known.get("options", {})
    for name in sorted(PLACES):
        old, new = begun.get(name), getattr(options, name)
        if old and new and old != new:
            sources = sources.map(
                lambda source, old=old, new=new: (
                    new + source.removeprefix(old)
                    if source.startswith(f"{old}/")
                    else source
                )
            ).astype(object)
    return sources


def _check_rows(rows: pd.DataFrame, options: Options) -> None:
    """Raises UserError for rows that are not those of the settings."""
    if not set(rows["set"]) <= set(row_sets.NAMES):
        raise UserError(f"a set that is none of {', '.join(row_sets.NAMES)}.")
    train = rows[rows["set"] == "train"]
    c = len(options.classes)
    if not set(rows["label"]) <= set(range(c)):
        raise UserError(f"a label outside 0 to {c - 1}.")
    counts = np.bincount(train["label"].astype(np.int64), minlength=c)
    if tuple(counts.tolist()) != options.counts:
        raise UserError("other class sizes than those of options.json.")
    if options.label:
        if rows["source"].duplicated().any():
            raise UserError("a row of the table twice.")
        return
    # No file from elsewhere: a run may come from a stranger.
    roots = [Path(place) for place in (options.data, options.test_data) if place]
    for source in rows["source"]:
        path = Path(source)
        if ".." in path.parts or not any(root in path.parents for root in roots):
            raise UserError(f"{printable(source)}: does not lie below {roots[0]}.")


def check_rows(run: Path, split: Split, spec: DatasetSpec, known: dict) -> None:
    """Make sure that the rows of a published dataset are those of the run.

    Args:
      run: its folder, for messages.
      split: the rows, as they were read now.
      spec: of the dataset.
      known: content of data.json; empty for a run of an earlier version, whose rows
        cannot be compared.

    Raises:
      UserError: rows of a class are others.
    """
    if not known:
        print(
            f"note: {run} is of a version that kept no digests of its data: only "
            "labels are compared"
        )
        return
    if "train" not in known:
        return  # the user's own data was compared when it was read
    found = _digests(split, len(spec.classes))
    for name in row_sets.NAMES:
        # A run without validation rows has no digest of them.
        old, new = known.get(name, []), found.get(name, [])
        differ = [
            title
            for k, title in enumerate(spec.classes)
            if old[k : k + 1] != new[k : k + 1]
        ]
        if differ:
            what = "training" if name == "train" else name
            raise UserError(
                f"{run}: the {what} rows of {', '.join(differ[:10])} are not those "
                f"that it was begun with. Give the run's {setting('data_dir')}."
            )


def _digests(split: Split, c: int) -> dict[str, list[str]]:
    """A digest of the rows of each class, for each set that has rows of its own."""
    sets = {
        "train": (split.images, split.labels),
        "test": (split.test_images, split.test_labels),
    }
    if len(split.validation_labels):
        sets["validation"] = (split.validation_images, split.validation_labels)
    return {
        name: [digest(x[y == label].tobytes()) for label in range(c)]
        for name, (x, y) in sets.items()
    }
