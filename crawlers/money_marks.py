"""How currencies are written: ISO codes, signs and words."""

from __future__ import annotations

import re

CODES = frozenset(
    """
    AED ARS AUD BDT BGN BRL BTC CAD CHF CLP CNY COP CZK DAI DKK EGP ETH EUR GBP GHS HKD HRK HUF IDR ILS INR ISK JPY KES
    KRW KWD LKR MAD MXN MYR NGN NOK NZD PEN PHP PKR PLN QAR RON RSD RUB SAI SAR SEK SGD THB TND TRY TWD UAH USD USDC
    USDT UYU VND ZAR
    """.split()
)

MARKS: dict[str, tuple[str, ...]] = {
    # A sign and the currencies that are written with it. The first is meant where nothing else is said, except for
    # the signs in `SHARED`, which say nothing by themselves.
    "$": ("USD", "AUD", "CAD", "NZD", "SGD", "HKD", "MXN", "TWD", "ARS", "CLP", "COP", "UYU"),
    "US$": ("USD",),
    "U$S": ("USD",),
    "AU$": ("AUD",),
    "A$": ("AUD",),
    "CA$": ("CAD",),
    "C$": ("CAD",),
    "NZ$": ("NZD",),
    "HK$": ("HKD",),
    "S$": ("SGD",),
    "MX$": ("MXN",),
    "NT$": ("TWD",),
    "R$": ("BRL",),
    "€": ("EUR",),
    "£": ("GBP", "EGP"),
    "₹": ("INR",),
    "₽": ("RUB",),
    "₴": ("UAH",),
    "₺": ("TRY",),
    "₩": ("KRW",),
    "₪": ("ILS",),
    "₱": ("PHP",),
    "₦": ("NGN",),
    "₫": ("VND",),
    "฿": ("THB",),
    "zł": ("PLN",),
    "Kč": ("CZK",),
    "¥": ("JPY", "CNY"),
}
WORDS: dict[str, tuple[str, ...]] = {
    "dollars": MARKS["$"],
    "dollar": MARKS["$"],
    "bucks": MARKS["$"],
    "us dollars": ("USD",),
    "us dollar": ("USD",),
    "euros": ("EUR",),
    "euro": ("EUR",),
    "pounds": MARKS["£"],
    "pound": MARKS["£"],
    "pounds sterling": ("GBP",),
    "british pounds": ("GBP",),
    "rs.": ("INR", "PKR", "LKR"),
    "rs": ("INR", "PKR", "LKR"),
    "rupees": ("INR", "PKR", "LKR"),
    "kr.": ("SEK", "NOK", "DKK", "ISK"),
    "kr": ("SEK", "NOK", "DKK", "ISK"),
    "yen": ("JPY",),
    "swiss francs": ("CHF",),
    "francs": ("CHF",),
    "sfr": ("CHF",),
    "rmb": ("CNY",),
}
SHARED = frozenset({"¥", "rs", "rs.", "rupees", "kr", "kr."})


def currency_code(mark: str) -> str | None:
    """ISO code that a mark stands for; None where it is unknown or shared by several currencies.

    >>> currency_code("$"), currency_code("usd"), currency_code("Euro"), currency_code("kr"), currency_code("hours")
    ('USD', 'USD', 'EUR', None, None)
    """
    text = " ".join(mark.split())
    if text.upper() in CODES:
        return text.upper()
    if text.lower() in SHARED or text in SHARED:
        return None
    meant = _meant(text)
    return meant[0] if meant else None


def may_mean(mark: str, code: str) -> bool:
    """Whether a mark can stand for the currency `code`, as "$" can for AUD.

    >>> may_mean("$", "AUD"), may_mean("€", "AUD")
    (True, False)
    """
    return mark.upper() == code or code in _meant(" ".join(mark.split()))


def currency_in_name(name: str) -> str | None:
    """Currency that a column's name states, as in "Budget (EUR)", "price_usd" or "Amount in £".

    >>> currency_in_name("Budget (EUR)"), currency_in_name("fixed_usd"), currency_in_name("Budget")
    ('EUR', 'USD', None)
    """
    words = re.findall(r"[A-Za-z]+|[^\w\s().,:/-]+", name.replace("_", " "))
    found = {code for word in words if (code := _code_in_name(word))}
    return found.pop() if len(found) == 1 else None


def _code_in_name(word: str) -> str | None:
    known = word.upper() in CODES or word in MARKS or word.lower() in {"euro", "euros", "dollars", "pounds"}
    return currency_code(word) if known else None


def _meant(text: str) -> tuple[str, ...]:
    """Currencies that a sign or word is used for."""
    for sign, meant in MARKS.items():
        if text.casefold() == sign.casefold():
            return meant
    return WORDS.get(text.lower(), ())
