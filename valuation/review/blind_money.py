r"""Where sums of money stand in a text that analysts are to judge blind: found rather too often than not.

Numbers, currency marks and words of pay are found in one pass over the text; a number is money by what stands beside
it. `crawlers.money` reads budgets and rather gives nothing than a wrong one; here a missed sum would tell the price.
Texts are those of `valuation.review.blind_spelling.spell`. Every repetition is bounded or possessive: time grows with
the text's length, whatever it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from crawlers.money_patterns import MARK
from valuation.review.blind_spelling import spell, windows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

REACH = 70  # characters from a word of pay to a number that it can speak of


def _any(words: str) -> str:
    """Alternatives out of words, in the spelling that texts are brought to; ``_`` is a space."""
    spelt = {spell(word).text.replace("_", " ") for word in words.split()}
    return "|".join(sorted(map(re.escape, spelt), key=lambda word: (-len(word), word)))


_END = r"(?![^\W\d_])"
_BEGIN = r"(?<![^\W\d_])"
_CURRENCIES = _any(
    "dollar dollars dollers dolar dolares dólares dollari доллар доллара долларов usd$ euros eur kč"
    " ringgit rupiah baht dirham dirhams riyal riyals shekel zloty złotych forint rubles roubles рубль"
    " рубля рублей гривна гривни yuan renminbi usdc usdt busd xdai dai weth btc rupee rupees"
    " inr रुपये रुपए रुपया डॉलर دولار دولارا ريال درهم جنيه ليرة یورو يورو تومان دلار 美元 美金 人民币 人民幣 圆"
    " 圓 ドル ユーロ 달러 만원 유로 đô vnđ"
)
_CURRENCIES_AFTER = _any(
    "real reais rand won cent cents pence buck bucks quid lira liras franc francs krona kronor kroner"
    " peso pesos dong naira cedi shilling shillings sterling sats matic near dot atom xrp doge bnb"
    " avax ltc trx gtc ftm algo 块 塊"
)
"""Words that are something else, too: "real 3D", "won 5 awards"; they count behind a number only."""
_SIGNS = r"[$¢£¤¥֏؋৲৳฿៛₠-₿﷼💲💵💴💶💷💰]|&(?:#0{0,3}36|#x0{0,3}24|dollar|euro|pound|yen|cent);"
_SCALE = (
    rf"(?:\s?(?:{_any('k grand thousand thousands mn mio million millions bn billion lakh lakhs lac lacs lpa crore')}"
    rf"|{_any('crores cr hundred mil mille mila tausend tys тыс тысяч млн हजार हज़ार लाख करोड़ ألف الف مليون')})\.?{_END}"
    r"|[mb](?![^\W_])|\s?[万億亿千百만천])?\+?(?:/-|,-)?"
)
_NUMBER = r"(?>\d(?>\d|[oO](?=[oO\d]{0,12}(?![^\W_]))|[.,'_](?=\d)|[ ](?=\d{3}(?!\d)|\d(?!\d)))*+)"
_WORDS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds thousand thousands"
    " grand million lakh lac crore dozen couple few half"
)
_SPELT_ONE = rf"(?:{_any(_WORDS)})"
_SPELT = rf"{_BEGIN}(?>{_SPELT_ONE}{_END}(?>(?:\s?-\s?|\s{{1,2}})(?:(?:and|a|of)\s)?{_SPELT_ONE}{_END}){{0,9}})"
_HAN = r"[〇零一二三四五六七八九十百千万億亿两兩]{1,12}\s?(?:元|円|圓|圆|块|塊|美元|美金|ドル|ユーロ)"
_PAY = _any(
    "budget budgets budgeted price prices priced pricing pay pays paying paid payed payment payments payout"
    " salary salaries wage wages rate rates fee fees cost costs costing compensation compensated remuneration"
    " stipend bounty bounties reward rewards rewarded prize prizes quote quoted bid bids offer offers offering"
    " offered charge charges charged earn earns earning deposit upfront escrow worth spend spending funds funded"
    " funding money amount invest cash fixed hourly tip tips bonus presupuesto precio precios pago pagar tarifa"
    " coste costo budjet prix tarif paiement honoraires preis preise honorar kosten bezahlung vergütung festpreis"
    " stundensatz orçamento preço pagamento valor prezzo costi compenso budżet cena stawka koszt bütçe ücret fiyat"
    " бюджет цена цены оплата оплаты стоимость ставка гонорар зарплата ціна вартість ميزانية الميزانية سعر السعر"
    " راتب بودجه قیمت बजट कीमत वेतन भुगतान"
)
_PAY_HAN = r"预算|預算|予算|価格|价格|價格|報酬|报酬|単価|费用|費用|工资|薪资|예산|가격|비용|급여"
_TOKEN = re.compile(
    rf"(?P<sum>{_HAN})|(?P<mark>{_SIGNS}|{_BEGIN}(?:{_CURRENCIES}){_END}|{MARK.pattern})"
    rf"|(?P<after>{_BEGIN}(?:{_CURRENCIES_AFTER}){_END})"
    rf"|(?P<number>{_NUMBER}{_SCALE})|(?P<spelt>{_SPELT})|(?P<pay>{_BEGIN}(?:{_PAY}){_END}|{_PAY_HAN})"
    r"|(?P<stop>\n\s?\n|[.!?]\s{1,3}(?=[^\W\d_]))",
    re.IGNORECASE,
)
_MARK_GAP = re.compile(
    r"[^\w,;!?\n]{0,4}(?:(?:approx|approximately|about|around|max|min|maximum|minimum|up to|ca|only|of|sum of)"
    r"[^\w\n]{0,3})?",
    re.IGNORECASE,
)
_TO_MARK = re.compile(
    r"[^\w,;:!?\n]{0,3}(?:(?:us|u\.s\.|in|american|canadian|australian|aud?|hong kong)[^\w\n]{1,2})?", re.IGNORECASE
)
_JOIN = re.compile(
    r"\s{0,2}(?:-{1,3}|~|/|\.{2,3}|>|to|till|until|thru|through|up to|and|or|bis|au|à|a|до|o|y|e|und|oder"
    r"|или|至|到|から)\s{0,2}",
    re.IGNORECASE,
)
_UNIT = re.compile(
    r"\s{0,2}(?:(?:/|per\b|an?\b|each\b|p\.|pro\b|par\b|por\b|за\b|в\b|/\s?per\b)\s{0,2}(?:the\s)?(?:full\s)?"
    r"(?:hours?|hrs?|h|days?|weeks?|wk|months?|mo|mth|years?|yr|annum|projects?|words?|pages?|articles?|pieces?|videos?"
    r"|images?|items?|tasks?|gigs?|jobs?|minutes?|min|leads?|posts?|person|sq|site|product|blog|design|logo|milestone"
    r"|std|stunde|heure|jour|mois|hora|día|mes|час|день|месяц)\b|ph\b|p/h\b|pph\b|hourly\b|each\b|apiece\b)",
    re.IGNORECASE,
)
_PAY_AFTER = re.compile(
    r"[\s(:-]{0,3}(?:(?!(?:for|in|on|the|and|or|of|to|with|by)\b)[^\W\d_]{1,12}\s){0,1}"
    r"(?:budget|fixed|flat|hourly|salary|fee|bounty|reward|prize|price|payment|cash|usdt?|tops|max(?:imum)?\b(?!\s\w))",
    re.IGNORECASE,
)
_THINGS = (
    r"(?:words?|pages?|articles?|posts?|lines?|images?|photos?"
    r"|pictures?|products?|items?|pieces?|leads?|contacts?|rows?|columns?|e-?mails?|users?|records?|urls?|links?|screens?"
    r"|slides?|videos?|files?|hours?|hrs?|minutes?|mins?|seconds?|secs?|days?|weeks?|months?|years?|yrs?|times?|people"
    r"|persons?|winners?|milestones?|characters?|stars?|revisions?|concepts?|designs?|logos?|questions?|tests?|sites?"
    r"|websites?|apps?|accounts?|followers?|members?|companies|stores?|shops?|listings?|tables?|sheets?|forms?|levels?"
    r"|freelancers?|developers?|designers?|writers?|participants?|interviews?|calls?|languages?|px|pixels?|mb|gb|kb|km|cm"
    r"|mm|kg|am|pm|st|nd|rd|th|d)\b"
)
_COUNTED = re.compile(rf"\s{{0,2}}-?\+?\s?(?:%|per ?cent\b|(?:[^\W\d_]{{2,14}}\s)?{_THINGS})", re.IGNORECASE)
_COUNTED_DIRECTLY = re.compile(rf"\s{{0,2}}-?\+?\s?(?:%|per ?cent\b|{_THINGS})", re.IGNORECASE)
_DIRECTLY = re.compile(
    r"[^\w\n]{0,4}\n?[^\w\n]{0,3}(?:(?:is|of|are|at|for|about|around|approx|approximately|up to|max|maximum|between"
    r"|from|under|over|ca|only|range|estimate|estimated|will be|would be|total|fixed|price|rate|amount|usd)"
    r"[^\w\n]{1,3}){0,3}",
    re.IGNORECASE,
)
_NO_PAY = re.compile(r"[\s-]limit|\w*\s?=\s?\w*\(", re.IGNORECASE)
"""Behind a word of pay that is none: "rate limit"."""
_WORD_DASH = re.compile(r"([^\W\d_]{1,28})-$")
_PAY_ALONE = re.compile(rf"(?:{_PAY}|{_CURRENCIES})", re.IGNORECASE)
_CLOCK = re.compile(r":\d\d|\s?[ap]\.?m\b|%", re.IGNORECASE)
_YEAR = re.compile(r"(?:19[89]|20[0-4])\d")
_NUMERIC = re.compile(rf"\d|[〇零一二三四五六七八九十百千万億亿两兩]|{_BEGIN}{_SPELT_ONE}{_END}", re.IGNORECASE)
_BIG = re.compile(
    rf"(?:{_any('hundred hundreds thousand thousands grand million lakh lac crore')}){_END}", re.IGNORECASE
)


class _Token(NamedTuple):
    """A stretch of text and what it is: mark, after (a mark behind numbers only), number, spelt, pay, sum or stop."""

    kind: str
    start: int
    end: int


def money_spans(text: str, known: Collection[float] = ()) -> list[tuple[int, int]]:
    """Where sums of money stand, ascending and apart from each other.

    Parameters
    ----------
    text : str
        In one spelling.
    known : collection of float
        Figures to find wherever they stand, unless things are counted by them.
    """
    near = windows(text, _NUMERIC, before=REACH + 30, after=60)
    tokens = [_Token(str(found.lastgroup), *found.span()) for part in near for found in _TOKEN.finditer(text, *part)]
    judged = [_Judged(text, tokens, known).span(at) for at in range(len(tokens))]
    pay: int | None = None
    spans: list[tuple[int, int] | None] = []
    for at, token in enumerate(tokens):
        if token.kind in ("pay", "stop"):
            speaks = token.kind == "pay" and not _NO_PAY.match(text, token.end)
            pay = at if speaks else None
        span = judged[at]
        if span is None and pay is not None and token.kind in ("number", "spelt"):
            span = _spoken_of(text, tokens[pay], token)
        spans.append(span)
    return _joined(text, tokens, spans)


class _Judged:
    """Numbers that are money by what stands directly beside them."""

    def __init__(self, text: str, tokens: list[_Token], known: Collection[float]) -> None:
        self._text = text
        self._tokens = tokens
        self._known = frozenset(round(one, 2) for one in known)

    def span(self, at: int) -> tuple[int, int] | None:
        """The sum that a token is, with its marks; None where nothing beside it says so."""
        token = self._tokens[at]
        if token.kind == "sum":
            return token.start, token.end
        if token.kind not in ("number", "spelt"):
            return None
        before = self._marked(at - 1, at, _MARK_GAP) if token.kind == "number" else None
        after = self._marked(at, at + 1, _TO_MARK)
        if before or after:
            return (before or token).start, (after or token).end
        if token.kind == "number" and (self._says_so(token) or self._is_known(token)):
            return token.start, token.end
        return None

    def _marked(self, left: int, right: int, gap: re.Pattern[str]) -> _Token | None:
        """The mark among two tokens that stand close."""
        if left < 0 or right >= len(self._tokens):
            return None
        one, other = self._tokens[left], self._tokens[right]
        mark = one if one.kind == "mark" else other if other.kind in ("mark", "after") else None
        close = other.start - one.end <= 24 and gap.fullmatch(self._text, one.end, other.start)
        return mark if close and not (mark is not None and _in_a_path(self._text, mark)) else None

    def _says_so(self, token: _Token) -> bool:
        """Whether what follows makes it pay: "300/hr", "500 fixed"."""
        if _glued(self._text, token):
            return False
        after = self._text[token.end : token.end + 40]
        return bool(_UNIT.match(after) or (_PAY_AFTER.match(after) and not _COUNTED.match(after)))

    def _is_known(self, token: _Token) -> bool:
        if not self._known or _COUNTED_DIRECTLY.match(self._text[token.end : token.end + 40]):
            return False
        return not self._known.isdisjoint(_readings(self._text[token.start : token.end]))


def _readings(number: str) -> Iterator[float]:
    """What a number as written may stand for."""
    digits = re.sub(r"[^\d.,]", "", number)[:18].strip(".,")
    for thousands, point in ((",", "."), (".", ","), (".,", "")):
        plain = "".join(char for char in digits if char not in thousands)
        plain = plain.replace(point, ".") if point else plain
        if plain.count(".") <= 1 and plain:
            value = float(plain)
            yield round(value, 2)
            if re.search(r"\dk\b|thousand|grand", number, re.IGNORECASE):
                yield round(value * 1000.0, 2)


def _spoken_of(text: str, pay: _Token, token: _Token) -> tuple[int, int] | None:
    """The number itself, where a word of pay before it speaks of it."""
    distance = token.start - pay.end
    if distance > REACH or _CLOCK.match(text, token.end) or _glued(text, token):
        return None
    number, after = text[token.start : token.end], text[token.end : token.end + 40]
    if token.kind == "spelt":
        return (token.start, token.end) if _BIG.search(number) and not _COUNTED.match(after) else None
    directly = distance <= 40 and _DIRECTLY.fullmatch(text, pay.end, token.start)
    if not directly and (_COUNTED.match(after) or _YEAR.fullmatch(number.strip()) or len(number.strip()) < 2):
        return None
    if directly and _COUNTED.match(after) and not text[pay.end : token.start].lstrip(" ").startswith((":", "-", "=")):
        return None
    return token.start, token.end


def _glued(text: str, token: _Token) -> bool:
    """Whether a number is part of a name: "v2", "mp3", "3D", "TOOL-12", or the number of an issue: "#12"."""
    before = text[token.start - 1 : token.start]
    after = text[token.end : token.end + 1]
    word = _WORD_DASH.search(text, max(token.start - 30, 0), token.start)
    named = before == "#" or (word is not None and not _PAY_ALONE.fullmatch(word[1]))
    return named or before.isalpha() and before.isascii() or after.isalpha() and after.isascii()


def _in_a_path(text: str, mark: _Token) -> bool:
    """Whether a currency's letters are the end of a file's name: "build.rs:46"."""
    return text[mark.start : mark.end].isalpha() and text[mark.start - 1 : mark.start] in (".", "/", "_")


def _joined(text: str, tokens: list[_Token], spans: list[tuple[int, int] | None]) -> list[tuple[int, int]]:
    """Ends of ranges follow their other end, and neighbouring spans become one."""
    numbers = [at for at, token in enumerate(tokens) if token.kind in ("number", "spelt")]
    pairs = list(zip(numbers, numbers[1:], strict=False))
    for left, right in [*pairs, *reversed(pairs)]:
        if (spans[left] is None) != (spans[right] is None):
            begin, end = (spans[left] or tokens[left][1:])[1], (spans[right] or tokens[right][1:])[0]
            if 0 <= end - begin <= 12 and _JOIN.fullmatch(text, begin, end):
                spans[left], spans[right] = spans[left] or tokens[left][1:], spans[right] or tokens[right][1:]
    merged: list[tuple[int, int]] = []
    for start, end in sorted(span for span in spans if span is not None):
        if merged and (
            start <= merged[-1][1] or (start - merged[-1][1] <= 12 and _JOIN.fullmatch(text, merged[-1][1], start))
        ):
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
