"""Amounts spelled in English words: "five hundred dollars" -> "500 dollars"."""

from __future__ import annotations

import re

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ONES = {word: value for value, word in enumerate(_SMALL)} | {word: 20 + 10 * n for n, word in enumerate(_TENS)}
_SCALES = {"thousand": 1_000, "million": 1_000_000}
_WORD = rf"(?:{'|'.join([*_ONES, 'hundred', *_SCALES])})"
_FIRST = rf"(?:a\s+(?=hundred|thousand|million)|(?={'|'.join(_ONES)}))"
_PHRASE = re.compile(rf"\b{_FIRST}{_WORD}(?:(?:[\s-]+|\s+and\s+){_WORD})*\b", re.IGNORECASE)
_NOT_PLAIN = re.compile(r"\d|\b(?:half|quarter|third|dozen|few|several|couple|point|per\s?cent)\b", re.IGNORECASE)


def digits_for_words(text: str) -> str:
    """Write the one number that a text without digits spells out in digits; any other text stays what it is.

    >>> digits_for_words("two thousand five hundred and fifty USD"), digits_for_words("a hundred dollars")
    ('2550 USD', '100 dollars')
    >>> digits_for_words("one to two hundred dollars"), digits_for_words("three milestones, $900")
    ('one to two hundred dollars', 'three milestones, $900')
    """
    found = list(_PHRASE.finditer(text)) if not _NOT_PLAIN.search(text) else []
    if len(found) != 1:
        return text
    value = _value(re.findall(_WORD, found[0][0].lower()))
    return text if value is None else f"{text[: found[0].start()]}{value}{text[found[0].end() :]}"


def _value(words: list[str]) -> int | None:
    """Value of number words in a row; None where they do not form one number, as in "two five"."""
    total, group, last = 0, 0, 10**9
    for word in words:
        if word in _SCALES:
            if _SCALES[word] >= last:
                return None
            total, group, last = total + (group or 1) * _SCALES[word], 0, _SCALES[word]
        elif word == "hundred":
            if group > 9:
                return None
            group = (group or 1) * 100
        else:
            number = _ONES[word]
            room = 100 if group % 100 == 0 else 10 if group % 100 >= 20 and group % 10 == 0 else 0
            if number >= room or (number == 0 and len(words) > 1):
                return None
            group += number
    return total + group
