"""One spelling for texts that state money."""

from __future__ import annotations

import re
import unicodedata

MAX_LENGTH = 2000  # characters; a longer text is a description, not a budget
_INVISIBLE = [
    0xAD,
    0x61C,
    0xFEFF,
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x206A),
    *range(0xFE00, 0xFE10),
]
_SPELLINGS = str.maketrans(
    {chr(code): "" for code in _INVISIBLE}
    | dict.fromkeys("‐‑‒–—―−", "-")
    | dict.fromkeys("’‘`´", "'")
    | {"⁄": "/", "٬": ",", "٫": "."}
)


def clean_text(text: str) -> str:
    """One line in one spelling: compatibility forms, dashes, spaces, apostrophes; invisible marks removed.

    >>> clean_text("\u200f１\u202f２００,–\u00a0€"), clean_text("$500¹ – Rs. 1,500/-")
    ('1 200,00 €', '$500 - Rs. 1,500')
    """
    plain = text[: MAX_LENGTH * 2]
    if not plain.isascii():
        raised = "".join(" " if _is_raised(char) else char for char in plain)
        plain = unicodedata.normalize("NFKC", raised).translate(_SPELLINGS)
    plain = re.sub(r"(\d)\s?(?:/[-=]|:-)(?![\d-])", r"\1 ", plain)  # "1,500/-" is 1,500
    return re.sub(r"(\d[.,])-{1,2}(?=[\s/]|$)", r"\g<1>00", " ".join(plain.split()))  # "500,-" is 500,00


def _is_raised(char: str) -> bool:
    """Whether a character is a small or circled digit: "$500¹" is not $5001."""
    return unicodedata.category(char) == "No" and "⁄" not in unicodedata.normalize("NFKC", char)
