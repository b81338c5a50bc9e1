"""Names that look alike: when two are one, and how to show that they are not.

macOS writes "café" with a letter and an accent (NFD), Linux mostly with one character
(NFC). Both are one name here. Paths keep the form that the disk has.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

# Cyrillic and Greek letters with the shape of a Latin one, and that letter.
_SHAPES = dict(
    zip(
        map(ord, "аеорсухіјѕһԁԛԝкмтвнαοιυνρκτχ"),
        "aeopcyxijshdqwkmtbhaoiuvpktx",
        strict=True,
    )
)


def canonical(name: str) -> str:
    """A name in the form in which names are kept and compared (Unicode NFC).

    Args:
      name: of a class, a column or a category.
    """
    return unicodedata.normalize("NFC", name)


def shape(name: str) -> str:
    """What a name looks like: equal for names that a reader takes for one.

    Args:
      name: of a class, a column or a category.

    Returns:
      The name without case, white space around it, invisible characters and the
      alphabet of letters that look Latin.
    """
    plain = unicodedata.normalize("NFKC", name).casefold()
    seen = "".join(c for c in plain if unicodedata.category(c) != "Cf")
    return " ".join(seen.split()).translate(_SHAPES)


def quoted(name: str, others: Iterable[str]) -> str:
    """A name as a message shows it beside others.

    Args:
      name: of a class, a column or a category.
      others: names that the message shows too; `name` may be among them.

    Returns:
      The name; quoted and with escapes (``'caf\\xe9 '``) where another looks like it.
    """
    alike = any(o != name and shape(o) == shape(name) for o in others)
    return ascii(name) if alike else name


def difference(one: str, other: str) -> str:
    """In what two names differ that look alike, in words.

    Args:
      one: a name.
      other: another name of the same `shape`.
    """
    if canonical(one) == canonical(other):
        return "the Unicode form of accents (NFC and NFD)"
    if " ".join(one.split()) == " ".join(other.split()):
        return "white space"
    if one.casefold() == other.casefold():
        return "upper and lower case"
    return "characters that look alike or cannot be seen"


def look_alike(names: Iterable[str], others: Iterable[str] = ()) -> list[str]:
    """A sentence on each pair of names that look alike.

    Args:
      names: each is compared with those before it, and with the others.
      others: more names.

    Returns:
      Such as ``'cat' and 'Cat' differ in upper and lower case.``
    """
    by_shape: dict[str, list[str]] = {}
    for other in others:
        by_shape.setdefault(shape(other), []).append(other)
    sentences = []
    for name in names:
        earlier = by_shape.setdefault(shape(name), [])
        sentences += [
            f"{name!a} and {other!a} differ in {difference(name, other)}."
            for other in earlier
            if other != name
        ]
        earlier.append(name)
    return sentences
