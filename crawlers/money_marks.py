"""How currencies are written: ISO codes, signs and words."""

from __future__ import annotations

import re

CODES = frozenset(
    """
    AED ARS AUD AZN BDT BGN BHD BOB BRL BTC BYN CAD CHF CLP CNY COP CZK DAI DKK DOP EGP ETH EUR GBP GEL GHS HKD HRK
    HUF IDR ILS INR ISK JOD JPY KES KRW KWD KZT LKR MAD MDL MXN MYR NGN NOK NPR NZD OMR PEN PHP PKR PLN PYG QAR RON RSD
    RUB SAI SAR SEK SGD THB TND TRY TWD TZS UAH UGX USD USDC USDT UYU UZS VND XOF ZAR
    """.split()
)

# What is a word or a name in lower case ("try 5", "rm 5 files") counts in upper case only.
UPPER_ONLY = frozenset("BOB COP DAI DOP GEL MAD NIS PEN RM RON SAI TL TRY".split())

MARKS: dict[str, tuple[str, ...]] = {
    # A sign and the currencies that are written with it. The first is meant where nothing else is said, except for
    # the signs in `SHARED`, which say nothing by themselves.
    "$": ("USD", "AUD", "CAD", "NZD", "SGD", "HKD", "MXN", "TWD", "ARS", "CLP", "COP", "UYU"),
    "💲": ("USD", "AUD", "CAD", "NZD", "SGD", "HKD", "MXN", "TWD", "ARS", "CLP", "COP", "UYU"),
    "US$": ("USD",),
    "$US": ("USD",),
    "$AU": ("AUD",),
    "$NZ": ("NZD",),
    "U$S": ("USD",),
    "AU$": ("AUD",),
    "A$": ("AUD",),
    "CA$": ("CAD",),
    "C$": ("CAD",),
    "NZ$": ("NZD",),
    "HK$": ("HKD",),
    "SG$": ("SGD",),
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
    "৳": ("BDT",),
    "₸": ("KZT",),
    "円": ("JPY",),
    "元": ("CNY",),
    "원": ("KRW",),
    "¥": ("JPY", "CNY"),
}
WORDS: dict[str, tuple[str, ...]] = {
    "dollars": MARKS["$"],
    "dollar": MARKS["$"],
    "bucks": MARKS["$"],
    "us dollars": ("USD",),
    "us dollar": ("USD",),
    "u.s. dollars": ("USD",),
    "american dollars": ("USD",),
    "canadian dollars": ("CAD",),
    "canadian": ("CAD",),
    "australian dollars": ("AUD",),
    "australian": ("AUD",),
    "aussie dollars": ("AUD",),
    "singapore dollars": ("SGD",),
    "hong kong dollars": ("HKD",),
    "new zealand dollars": ("NZD",),
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
    "sfr.": ("CHF",),
    "fr.": ("CHF", "XOF"),
    "rmb": ("CNY",),
    "грн": ("UAH",),
    "грн.": ("UAH",),
    "гривень": ("UAH",),
    "гривен": ("UAH",),
    "hryvnia": ("UAH",),
    "руб": ("RUB", "BYN"),
    "руб.": ("RUB", "BYN"),
    "рублей": ("RUB", "BYN"),
    "р.": ("RUB", "BYN"),
    "rubles": ("RUB", "BYN"),
    "zl": ("PLN",),
    "złotych": ("PLN",),
    "zloty": ("PLN",),
    "lei": ("RON", "MDL"),
    "лв": ("BGN",),
    "лв.": ("BGN",),
    "rm": ("MYR",),
    "rp": ("IDR",),
    "rp.": ("IDR",),
    "tk": ("BDT",),
    "taka": ("BDT",),
    "tl": ("TRY",),
    "nis": ("ILS",),
    "shekels": ("ILS",),
    "dhs": ("AED", "MAD"),
    "naira": ("NGN",),
    "đ": ("VND",),
}
SHARED = frozenset({"¥", "rs", "rs.", "rupees", "kr", "kr.", "fr.", "lei", "dhs"})


def currency_code(mark: str) -> str | None:
    """ISO code that a mark stands for; None where it is unknown or shared by several currencies.

    >>> currency_code("$"), currency_code("usd"), currency_code("Euro"), currency_code("kr"), currency_code("hours")
    ('USD', 'USD', 'EUR', None, None)
    """
    text = _squeezed(mark)
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
    return mark.upper() == code or code in _meant(_squeezed(mark))


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


def _squeezed(mark: str) -> str:
    """A mark with single spaces, and none before its dollar: "US $" is "US$"."""
    return " ".join(mark.split()).replace(" $", "$")


def _meant(text: str) -> tuple[str, ...]:
    """Currencies that a sign or word is used for."""
    for sign, meant in MARKS.items():
        if text.casefold() == sign.casefold():
            return meant
    return WORDS.get(text.lower(), ())
