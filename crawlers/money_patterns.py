r"""Patterns of money in text: an amount with its mark, a range, and the words around it that change what it says.

They are made for texts of `crawlers.money.clean_text`: one line, single spaces, ASCII dashes and apostrophes. Every
repetition is bounded, atomic, or over parts that cannot begin alike, so that no text makes them go back over and over.
"""

from __future__ import annotations

import re

from crawlers.money_marks import CODES, MARKS, UPPER_ONLY, WORDS

_NOUNS = (
    r"(?:words?|pages?|articles?|posts?|lines?|images?|photos?|pictures?|products?|items?|pieces?|leads?|contacts?|rows?"
    r"|e-?mails?|users?|records?|urls?|screens?|slides?|videos?|files?|hours?|hrs?|minutes?|mins?|days?|weeks?|months?"
    r"|years?|times?|people|persons?|winners?|milestones?|characters?|stars?|proposals?|bids?)\b"
)
_TIMES = r"(?i:hours?|hrs?|minutes?|days?|weeks?|months?|years?)\b"
_YEAR = r"(?:199|20[0-3])\d(?!\d)"
_WORKS = r"(?:drawings?|files?|models?|designs?|parts?|designers?|draft\w*|engineers?|software|work|developers?|code)\b"
_NO_LETTER = r"(?![^\W\d_])"
# Marks that mean something else, too (PHP 8, CAD drawings, ETH 2.0, eth0, Euro 2024, RS-232), without first letter.
_CAREFUL = {
    "PHP": r"HP(?<!(?<!\d)\d\sPHP)(?<!(?<!\d)\d\d\sPHP)(?!\s?:?\s?\d{1,2}(?![\d,]))",
    "CAD": rf"AD(?!\s?(?:{_YEAR}|\dD\b))(?!\s{_WORKS})",
    "ETH": r"TH(?!\d|\s2(?:\.0)?(?!\d))",
    "canadian": r"anadian(?=\W*\Z)",
    "australian": r"ustralian(?=\W*\Z)",
    "euro": rf"uro(?!\s?{_YEAR})",
    "rs": r"s(?!\s?-?\s?(?:232|422|485)\b)",
}


def _is_letter(char: str) -> bool:
    return char.lower() != char.upper()


def _rest(mark: str) -> str:
    """Pattern of a mark after its first letter; what is a word in lower case counts in upper case only."""
    if mark.upper() in UPPER_ONLY:
        return f"(?-i:{mark[1:].upper()})"
    if re.fullmatch(r"[A-Z]{2}\$", mark):  # "CA $500", but not "San Jose, CA $500"
        return rf"(?<!,\s{mark[0]}){mark[1]}\s?\$"
    return _CAREFUL.get(mark, re.escape(mark[1:]))


def _sign(sign: str) -> str:
    """Pattern of a mark that begins with no letter."""
    return rf"(?i:{re.escape(sign)}){_NO_LETTER}" if _is_letter(sign[-1]) else re.escape(sign)


def _marks() -> str:
    """Pattern of all marks, longest first: signs anywhere; codes and words where words begin, by first letter."""
    ordered = sorted({*MARKS, *CODES, *WORDS}, key=lambda mark: (-len(mark), mark))
    signs = "|".join(_sign(mark) for mark in ordered if not _is_letter(mark[0]))
    by_letter: dict[str, list[str]] = {}
    for mark in ordered:
        if _is_letter(mark[0]):
            end = _NO_LETTER if mark not in MARKS or _is_letter(mark[-1]) else ""
            by_letter.setdefault(mark[0].upper(), []).append(_rest(mark) + end)
    words = "|".join(f"[{first}{first.lower()}](?i:{'|'.join(rests)})" for first, rests in by_letter.items())
    return rf"(?:{signs}|(?<![^\W\d_])(?:{words}))"


_MARK = _marks()
_UNCASED = re.escape("".join(sorted({sign[0] for sign in MARKS if not _is_letter(sign[0])})))
# Where an amount can begin; only for speed.
_START = rf"(?:(?=[\d-])|(?=[{_UNCASED}]\D{{0,6}}\d)|(?<![^\W\d_])(?=[^\W\d_]\D{{0,26}}\d))"
_MARKS = rf"{_MARK}(?:\s?{_MARK})?"
_NUMBER = r"(?>\d{1,3}(?:\ \d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,'_]\d+)*)"
_SCALE = (
    r"(?:\s?(?i:k|thousand|grand|mn|mio\.?|million|bn|billion|lakhs?|lacs?|crores?|cr|тыс\.?|млн\.?)(?![^\W\d_])"
    r"|(?i:m|b)(?![^\W\d_])|[万億亿])?"
)
_HOUR = r"(?:hours?|hrs?|h|std|stunde|heure|hora|hour|uur|ora|godz|godzinę|час|часа|годину|saat)(?!\w)"
_A = r"/\s?|per\s|an?\s|p\.?\s?/?|pro\s|par\s|por\s|za\s|за\s|в\s|(?:de\sl|all|l)'|la\s|die\s"
_HOURS = rf"(?:(?:{_A})\s?{_HOUR}|(?:hour|hr|h)(?!\w))"
_PER = r"(?:/|per|each|us\b|(?:ph|hr|h)\b)"


def _money(n: int, barred: str) -> str:
    """Pattern of one amount; `n` numbers its groups, `barred` is what may not stand before an unmarked number."""
    return (
        rf"(?P<sign{n}>(?<![\w.,-])-(?=\S)|\A-\s(?=\d))?(?:(?P<pre{n}>{_MARKS})(?:\s?:)?\s?)?(?P<neg{n}>-)?"
        rf"(?P<num{n}>(?<![\d.,'_#])(?<!\d\s)(?(pre{n})|{barred}){_NUMBER})(?P<scale{n}>{_SCALE})"
        rf"(?:(?P<post{n}>{_MARKS}(?!\d)|\s{_MARKS}(?!\s?\d)|\s{_MARK}(?=\s\d{{1,3}}\+?(?:\s?-\s?\d{{1,3}})?\s{_TIMES}))"
        rf"|(?![^\W\d_])|(?i:(?={_PER})))"
    )


_BARRED = r"(?<![^\W\d_])(?<!\d[-/:])"  # letters, as in "v2"; a digit and a dash, as in dates
MARK = re.compile(_MARK)
EXPRESSION = re.compile(
    rf"{_START}{_money(1, _BARRED)}(?P<gap>\s?(?i:{_HOURS}))?"
    rf"(?:\s?(?P<join>-|~|\.\.\.?|(?i:to|and|bis|until|till|through|à|до)\b)\s?(?!-){_money(2, '')})?"
)

# What stands before an amount, up to it.
LABEL = re.compile(
    r"(?:budget|price|rate|fee|amount|hourly|fixed(?:[ -]price)?|reward|bounty|pays?|payment|бюджет|цена|ціна)"
    r"[^\w$+]{0,6}\Z"
)
OPEN_BEFORE = re.compile(
    r"(?:\b(?:up ?to|under|below|max(?:imum)?\.?|less than|at most|from|start(?:s|ing) (?:at|from)|min(?:imum)?\.?"
    r"|at least|over|more than|above|upwards? of|exceed(?:ing)?|capped at|cap"
    r"|as (?:low|high|much|little) as|ab|bis(?: zu)?"
    r"|jusqu'à|à partir de|desde|hasta|от|до|від)|[<>≤≥])"
    r"(?: of)?(?: (?:my |our |the |a )?(?:budget|price|rate|bid|bounty|reward)(?: is| of)?)?[\s:]{0,3}\Z"
    r"|\b(?:budget|price|rate) (?:max|min|cap|limit|ceiling)\.?[\s:]{0,3}\Z"
)
NOT_THE_PRICE_BEFORE = re.compile(
    r"\b(?:raised|raising|spent|earned|earning|saved?|refund(?:ed)? of|revenue of|turnover of|sales of|worth|valued at"
    r"|orders? (?:over|above)|tip of|discount of)(?: \w{1,6})?\s?\Z"
)
PART_BEFORE = re.compile(r"%\s?(?:of|off)\s?\Z")
EACH_BEFORE = re.compile(
    r"(?:\d\s?\w{1,20}\s(?:of|at|@|x)|\d\s?[\w-]{1,20}(?:\s[\w-]{1,20}){1,2}\s[@x]|\beach|\bper\s(?!hour|hr|project|job|task)\w{1,20}\)?"
    r"(?: (?:rate|price|budget|fee))?"
    r"|\d\s?[x×@*])[\s:]{0,3}\Z"
)
BETWEEN = re.compile(r"\bbetween\s?\Z")
NUMBER_BEFORE = re.compile(r"\d(?P<spaced>\s?)\Z")
SHARED_BEFORE = re.compile(r"\d[km]?\s?(?P<join>or|o|a|do|y|e|i|и|или|або|oder|ou|und|/|&|[,;])\s?\Z")
NUMBERED_BEFORE = re.compile(
    r"\b(?:pages?|chapters?|n[or]\.?|number|version|ios|iphone|android|windows|part|step|issue|ticket|task|top|level|phase"
    r"|room|lot|week|day|year|in|jan\w*|feb\w*|mar\w*|apr\w*|may|jun\w*|jul\w*|aug\w*|sep\w*|oct\w*|nov\w*|dec\w*)\s\Z"
)
ODD_COMMA = re.compile(r",\d{4}")
WORD_BEFORE = re.compile(r"[^\W\d_]\s\Z")
PRICE_WORD_BEFORE = re.compile(
    r"\b(?:budget|price|rate|fee|amount|hourly|fixed|reward|bounty|pays?|paying|payment|range|ranges|between|from|about"
    r"|around|approx|approximately|circa|ca|of|is|for|at|costs?|salary|offer|offers|offering|total|est|estimated|say"
    r"|roughly|бюджет|цена|ціна|von|de|entre|zwischen)\s?\Z"
)

# What stands after an amount, from it.
OPEN_AFTER = re.compile(
    r"\s?(?:\+|,?\s?(?:or|and|&) (?:more|less|above|below|up|upwards?|over|under|higher|lower)\b|max\b|maximum\b"
    r"|min\b(?!ute)|minimum\b|plus\b|upwards?\b|onwards?\b|tops\b|at (?:most|least)\b|\(?(?:max|min)(?:imum|\.)?\)"
    r"|limit\b|cap\b)"
)
NOT_THE_PRICE = re.compile(
    r"\+?\s?(?:(?:total )?spent\b|earned\b|raised\b|(?:in |of )?(?:revenue|sales|turnover|funding)\b|off\b|discount\b"
    r"|gift\b|coupon\b|voucher\b|in (?:crypto )?credits?\b|\S{0,3}%)"
)
OTHER_UNIT = re.compile(
    r"\s?(?:/\s?|(?:per|pro|par|por|al|im|am|за|в|za|every|for (?:each|every|one))\s|each\b|apiece\b"
    r"|an?\s(?=[^\W\d_])|p\.?/?(?:[adwm]|cm)\b(?!\w)|p\.\s?[adwm]\.?(?!\w)"
    r"|[x×*]\s?\d|[x×]\s)(?P<w>\w*)"
)
AFTER_HOURS = re.compile(rf"\s?{_HOURS}")
WHOLE = re.compile(
    r"(?:project|job|gig|task|contract|total|fixed|assignment|bounty|issue|проект|проєкт|работу|роботу|projekt|projet"
    r"|proyecto|progetto|auftrag)"
)
DURATION = re.compile(rf"\s?\+?\s?(?:(?P<days>minutes?|days?|weeks?|months?|years?|people|persons?|%)(?!\w)|{_NOUNS})")
PER_HOURS = re.compile(r"\s?(?:/|per\b|an?\b)")
MORE_AFTER = re.compile(
    r"[.,]\s0\d\d\b|[.,]\s\d{3}[.,]\d|\s(?:mm?|b|l|t|tr|mil|mille|hundred|dozen)\b|\s?(?:and\s)?\d{1,2}\s?(?:cents?|¢|c)\b"
    r"|\s\d+(?:[.,]\d+)*\s?\Z|\s?\.\.|,--"
)
PIECES = re.compile(rf"\s?-?{_NOUNS}")

# Words anywhere.
PERIODIC = re.compile(
    r"\b(?:monthly|weekly|daily|yearly|annual(?:ly)?|salary|commission[ -](?:only|based)|sales commission"
    r"|plus commission|(?:revenue|profit)[ -]shar(?:e|ing)|equity|royalt(?:y|ies)|monatlich|mensuel\w*|mensual\w*)\b"
)
_PRICED = r"(?=\s?(?:\Z|[^\w\s]|\d|(?:rate|price|pay|budget|fee|contract|job|project|work|paid|usd|eur|gbp)\b))"
HOURLY = re.compile(
    r"(?:\A|[^\w\s]\s?)per (?:hour|hr)[\s:]"
    rf"|(?:\A|[^\w\s]\s?|\b(?:paid|pay|rate|price|type|budget|est)\s)hourly{_PRICED}"
    r"|\bhourly[\s-](?:rate|price|pay|fee)s?\b"
    r"|\bstunden(?:satz|lohn)\b|\b(?:rate|price|pay|cost|fee|usd|eur|gbp|budget|amount)s?\s?\(?(?:/\s?|per\s|an\s)(?:hour|hr)\b"
)
HOURLY_AFTER = re.compile(rf"[^\w]{{0,4}}hourly{_PRICED}|[^\d$€£₹,;.]{{0,16}}(?:/\s?|per\s)(?:hour|hr)s?(?!\w)")
FIXED = re.compile(
    r"\Afixed\b|\bfixed[\s_-]?(?:price|rate|fee|budget|cost|bid|amount|project|payment|contract)\b|[(/:,·-]\s?(?:fixed|flat)\b"
    r"|\bflat[\s-]?(?:fee|rate|price)\b|\bfestpreis\b|\bpauschal\b|\bforfait\b"
)
FIXED_AFTER = re.compile(r"\s?(?:fixed|flat)\b")

# Fields that say what a price is for.
TYPE_HOURLY = re.compile(
    rf"\bhourly\b|\bstundensatz\b|\A(?:pro stunde|par heure|por hora)\Z|(?<=[\d\s]){_HOURS}|\bper\s+hour\b"
    r"|/\s?h(?:ou)?rs?\b(?!\s*/)|\A(?:per )?(?:hour|hr)s?\Z|\Atime and materials?\Z"
)
TYPE_FIXED = re.compile(r"\bfixed\b|\bflat\b|\bfestpreis\b|\bpauschal\b|\bforfait\b")

# Texts without a mark.
BARE_AROUND = re.compile(
    r"(?:[\s:;,.()~≈/-]|\b(?:est|estimated|budget|price|fixed|hourly|rate|fee|amount|total|approx|approximately|about|circa|ca"
    r"|around|flat|between|project|per|an?|p|hours?|hrs?|h|only|cost|is|the)\b)*"
)
BARE_HOURS = re.compile(r"\s?(?:hours?|hrs?|h)\b")
SCIENTIFIC = re.compile(r"[+-]?\d+(?:\.\d+)?[eE][+-]?\d+")
INFINITE = re.compile(r"[+-]?\s?(?:inf|infinity|∞)", re.IGNORECASE)
NOTHING = re.compile(r"[\W_]*|n\s?/?\s?a|nan|null|none|nil|unknown|not (?:stated|specified|given)", re.IGNORECASE)
NAMED_CURRENCY = re.compile(
    rf"\b(budget|price|rate|amount|fee|reward)\s?[(\[]\s?({_MARK})\s?[)\]]\s?:?\s?(?=\d)", re.IGNORECASE
)
