"""Numbers that are written as text in a notation that pandas does not read.

Such are "90,400", "1.234,56", "1 000", "$1.50", "12%", "3 kg" and "(5)". A notation is
the list of calls that make numbers of the text, so that a message can name them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

_SPACES = " \u00a0\u2009\u202f'\u2019_"  # between thousands
_UNITS = (  # that follow a number without a space
    "%|‰|°|°C|°F|ºC|kg|mg|µg|μg|ug|ng|g|km|cm|mm|µm|nm|m|ml|dl|l|mL|dL|L|lb|lbs|oz|in|ft|"
    "s|sec|secs|ms|us|ns|min|mins|h|hr|hrs|d|days|years|yrs|y|Hz|kHz|MHz|GHz|kB|KB|MB|"
    "GB|TB|W|kW|V|mV|bpm|mmHg|px|pt|x|C|F|USD|EUR|GBP|PLN|CHF|JPY|zł|kr"
)
_CURRENCY = "$€£¥₹₽₩₺₴¢"
_NUMBER = re.compile(
    rf"(?P<open>\()?(?P<sign>[-+\u2212])?\s*(?P<before>[{re.escape(_CURRENCY)}]|[A-Z]{{3}}(?=\s)"
    rf"|[A-Z]{{1,3}}[$])?\s*(?P<second>[-+\u2212])?"
    rf"(?P<digits>\d[\d.,{re.escape(_SPACES)}]*\d|\d|[.,]\d+)"
    r"(?P<power>[eE][-+]?\d+)?"
    rf"(?P<scale>[kKMB](?=[\s){re.escape(_CURRENCY)}]|$))?"
    rf"(?P<after>\s*(?:[{re.escape(_CURRENCY)}]|{_UNITS})\.?|\s+[^\W\d_][^\s\d,;:-]*)?(?P<close>\))?"
)
_SCALES = {"k": "e3", "K": "e3", "M": "e6", "B": "e9"}
_COMMAS = re.compile(r"\d{1,3}(,\d{2,3})*,\d{3}(\.\d+)?")
_DOTS = re.compile(r"\d{1,3}(\.\d{3})+,\d+|\d{1,3}(\.\d{3}){2,}")
_COMMA = re.compile(r"\d*,\d+")
_SPACED = re.compile(rf"\d{{1,3}}(?:[{re.escape(_SPACES)}]\d{{3}})+(?:[.,]\d+)?")
_PLAIN = re.compile(r"\d+\.?\d*|\.\d+")
_CODES = re.compile(  # names of columns whose numbers are codes
    r"(.*[^a-z])?(zip|zip.?code|post(al)?.?code|postal|plz|phone|telephone|mobile|fax|"
    r"iban|isbn|ean|barcode)([^a-z].*)?",
    re.IGNORECASE,
)
_PHONE = 9  # digits of a number in groups that is more likely a telephone's


class Notation(NamedTuple):
    """How to make numbers of text.

    Attributes:
      replaced: pairs of a text and what takes its place, in this order.
      brackets: whether brackets stand for a minus.
    """

    replaced: tuple[tuple[str, str], ...]
    brackets: bool

    @property
    def is_plain(self) -> bool:
        """Whether pandas reads the numbers as they stand."""
        return not self.replaced and not self.brackets

    def apply(self, text: pd.Series) -> pd.Series:
        """Numbers, float64 [n]; NaN for what is none in this notation.

        Args:
          text: of a column, [n].
        """
        if self.brackets:
            text = text.str.replace(r"^\((.*)\)$", r"-\1", regex=True)
        for old, new in self.replaced:
            text = text.str.replace(old, new)
        return pd.to_numeric(text, errors="coerce").astype(float)

    def line(self, place: str, coerce: bool) -> str:
        """The line of Python that does so.

        Args:
          place: the column in Python, such as ``t["a"]``.
          coerce: whether some of the values are none of these numbers.
        """
        calls = place
        if self.brackets:
            calls += r'.str.replace(r"^\((.*)\)$", r"-\1", regex=True)'
        for old, new in self.replaced:
            calls += f".str.replace({old!a}, {new!a})"
        ending = ', errors="coerce"' if coerce else ""
        return f"{place} = pd.to_numeric({calls}{ending})"


def find(values: Sequence[str], rows: Sequence[int]) -> tuple[Notation, pd.Series]:
    """The notation that most of the values are numbers in.

    Args:
      values: different texts.
      rows: how many rows have each.

    Returns:
      The notation, and the numbers, float64 [n]; NaN for what is none.
    """
    parsed = [_NUMBER.fullmatch(value.strip()) for value in values]
    units: Counter = Counter()
    for found, n in zip(parsed, rows, strict=True):
        if found:
            units[_unit(found)] += n
    unit = max(units, key=lambda key: (units[key], key), default=("", ""))
    fits = [m is not None and _unit(m) in (unit, ("", "")) for m in parsed]
    agreed = [m for m, fit in zip(parsed, fits, strict=True) if m and fit]
    notation = _notation([m for m in agreed if _is_number(m)], unit)
    text = pd.Series([value.strip() for value in values], dtype=object)
    numbers = notation.apply(text) if len(text) else pd.Series([], dtype=float)
    fits = [
        bool(m and fit and _is_number(m)) for m, fit in zip(parsed, fits, strict=True)
    ]
    if notation.is_plain:  # inf and 0x1F too are what pandas says of them
        return notation, numbers
    return notation, numbers.where(pd.Series(fits, dtype=bool))


def are_codes(values: Sequence[str], name: object = "") -> bool:
    """Whether numbers are rather codes: they begin with 0, or are telephone numbers.

    Args:
      values: of which most are numbers in some notation.
      name: of the column; "zip" or "phone" is the name of codes.
    """
    if _CODES.fullmatch(str(name)):
        return True
    text = [value.strip() for value in values]
    if any(re.fullmatch(r"0\d[\d ]*", value) for value in text):
        return True
    digits = {len(re.sub(r"\D", "", value)) for value in text}
    grouped = all(re.fullmatch(r"\+?\d{1,3}( \d{3})+", value) for value in text)
    return grouped and len(digits) == 1 and min(digits) >= _PHONE


def _unit(found: re.Match) -> tuple[str, str]:
    """What stands before and behind a number, in small letters."""
    before, after = found["before"] or "", found["after"] or ""
    return before.casefold(), after.strip().casefold()


def _is_number(found: re.Match) -> bool:
    digits = found["digits"]
    signs = bool(found["sign"]) + bool(found["second"])
    brackets = bool(found["open"]), bool(found["close"])
    if signs > 1 or brackets[0] != brackets[1] or (brackets[0] and signs):
        return False
    return any(p.fullmatch(digits) for p in (_PLAIN, _COMMAS, _DOTS, _COMMA, _SPACED))


def _notation(agreed: Sequence[re.Match], unit: tuple[str, str]) -> Notation:
    """The notation of numbers that have one unit."""
    given = [m["digits"] for m in agreed]
    # 1,5 has a comma for a point; in 1,500 alone it stands between thousands.
    comma = any(_DOTS.fullmatch(x) for x in given) or any(
        _COMMA.fullmatch(x) and not _COMMAS.fullmatch(x) for x in given
    )
    comma = comma or any(_SPACED.fullmatch(x) and "," in x for x in given)
    steps: dict[str, str] = {}
    for m in agreed:
        for part in (m["before"], (m["after"] or "").strip()):
            if part:
                steps[part] = ""
    steps = dict(sorted(steps.items(), key=lambda step: -len(step[0])))
    for mark in _SPACES:
        if any(mark in x for x in given) or (mark == " " and any(unit)):
            steps[mark] = ""
    if comma:
        if any("." in x for x in given):
            steps["."] = ""
        steps[","] = "."
    elif any("," in x for x in given):
        steps[","] = ""
    steps |= {m["scale"]: _SCALES[m["scale"]] for m in agreed if m["scale"]}
    if any("\u2212" in m.group() for m in agreed):
        steps["\u2212"] = "-"
    if any("\u00a0" in m.group() for m in agreed):
        steps = {"\u00a0": "", **steps}
    return Notation(tuple(steps.items()), any(m["open"] for m in agreed))
