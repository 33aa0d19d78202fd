"""What analysts must not see in blind mode: every way of writing money, links and dates; and what must stay."""

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valuation.review.blind_text import mask_blind, mask_money, visible_text

MONEY = [
    "$500", "500$", "$ 500", "$500.00", "US$1,500", "US $500", "USD 500", "500 USD", "500USD", "usd500", "€500",
    "500 €", "500 Kč", "£1.5k", "$1.5K", "$2M", "500 dollars", "five hundred dollars",
    "two thousand bucks", "a couple hundred bucks",
    "$300-500", "$300 - $500", "300-500 USD", "300 to 500 dollars", "between $300 and $500", "$100 or 200",
    "500 - 1,000 USD", "€1.200,50", "1'500 CHF", "Rs. 1,500/-", "Rs 500", "₹ 50,000", "2 lakh INR", "INR 1,00,000",
    "1 crore rupees", "5000 руб", "500 грн", "500 zł", "500 kr", "R$ 500", "500 PLN", "5 ETH", "0.5 eth", "500 DAI",
    "100 xDai", "250 USDC", "¥5000", "5000円", "５００円", "500元", "五百元", "3万円", "₩50,000", "50,000원",
    "$20/hr", "$20 per hour", "20 USD/h", "20/hr", "20 per hour", "15 p/h", "15-20/hour", "20 an hour", "5 per page",
    "500 fixed", "300 max budget", "300 budget", "500 flat", "budget: 300", "Budget - 300", "Budget 300",
    "budget is 300",
    "budget of around 300", "budget (max): 300", "price 300", "Price: 300-500", "pay 300", "I will pay 300",
    "paying around 300", "salary 40000", "rate: 20", "my rate is 20-25", "cost 300", "fee = 300", "bounty: 300",
    "reward 300", "presupuesto 300", "бюджет 300", "Preis: 300", "prix 300", "预算300", "预算：300", "budget\n300",
    "Budget:\n300 - 500", "the budget for this small project, to be clear, is 300", "offer 5k", "pay is 5k",
    "٣٠٠ دولار", "ميزانية ٣٠٠", "۳۰۰ دلار", "₹ ५००", "बजट ५००", "＄５００", "$𝟓𝟎𝟎", "$⑤⓪⓪",
    "5\u200b00 USD", "$5\u200d0\u20600", "$\u202e005", "5\u00ad00\u00a0USD", "$5\u03360\u03360\u0336", "$ 5 0 0",
    "5OO$", "&#36;300", "&dollar;300", "&euro; 300", "300 U.S. dollars", "20 cents per word", "¢50", "$.50", "USD: 300",
    "USD approx. 300", "up to $500", "under 500 USD", "$500+", "$70k+", "-$500", "300,- EUR", "EUR 300,--", "[$250]",
]  # fmt: skip
STAYS = [
    "Python 3.11 and PHP 8", "since 2019", "in 2024 and 2025", "40 pages", "5 screens, 3 languages", "iPhone 12",
    "a 3D model in CAD", "version 2.0", "v2", "10 hours per week", "24/7", "RS-232", "Office 365", "1080p", "mp3",
    "pay attention to 3 pages", "price list of 200 products", "100% of it", "we won 5 awards", "a real 3D model",
    "Win 10 and Windows 11", "500 words", "ISO 9001", "Section 508", "ETH 2.0", "H1 and h2 headings",
]  # fmt: skip


@pytest.mark.parametrize("text", MONEY)
def test_money_is_masked_however_it_is_written(text):
    for around in ("{}", "Fix the login. {} Thanks", "Please help ({}) soon"):
        masked = mask_money(around.format(text))
        assert "[amount]" in masked
        assert not any(char.isdigit() or unicodedata.numeric(char, None) is not None for char in masked), masked
        assert not any(word in masked for word in ("hundred", "thousand"))


@pytest.mark.parametrize("text", STAYS)
def test_numbers_far_from_money_stay(text):
    for around in ("{}", "Fix the login. {} Thanks"):
        assert mask_money(around.format(text)) == around.format(text)


def test_only_the_sum_goes():
    text = "Translate 12 pages from 2024.\nBudget: 300-500 fixed, or $20/hr; see chapter 3."
    assert mask_money(text) == "Translate 12 pages from 2024.\nBudget: [amount] fixed, or [amount]/hr; see chapter 3."


def test_a_known_figure_is_masked_wherever_it_stands_but_not_a_count():
    text = "We said 750 last time, then 1,250.00 or 1.25k; 750 words, 751 in all"
    masked = mask_money(text, (750.0, 1250.0))
    assert masked == "We said [amount] last time, then [amount]; 750 words, 751 in all"
    assert mask_money(text) == text
    assert mask_money("about 750", (None,)) == "about 750"


@settings(deadline=None)
@given(
    before=st.text(max_size=20),
    amount=st.integers(10, 999_999),
    sign=st.sampled_from(["$", "€", "£", "₹", "USD ", "EUR ", "US$ "]),
    hidden=st.sampled_from(["", "\u200b", "\u2060", "\u00ad", "\u202a"]),
    zero=st.sampled_from([0x30, 0x660, 0x6F0, 0x966, 0xFF10]),
    after=st.text(max_size=20),
)
def test_no_amount_with_a_sign_is_ever_left(before, amount, sign, hidden, zero, after):
    number = hidden.join(chr(zero + int(digit)) for digit in str(amount))
    masked = mask_money(f"{before} \n {sign}{number} \n {after}")
    assert number not in masked.replace(before, "").replace(after, "")
    assert "[amount]" in masked


@settings(deadline=None)
@given(st.text(max_size=200), st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=2))
def test_any_text_can_be_masked(text, known):
    masked = visible_text(mask_blind(text, known))
    assert isinstance(masked, str)
    if not any(char.isnumeric() for char in text) and "." not in text and "@" not in text and ":" not in text:
        assert masked == visible_text(text) or "[amount]" in masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("see https://example.com/a?b=1, now", "see [link] now"),
        ("see HTTP://EXAMPLE.COM", "see [link]"),
        ("www.example.com or example.io/path", "[link] or [link]"),
        ("mail me@example.org.", "mail [link]."),
        ("me [at] example [dot] com", "[link]"),
        ("t.me/somebody", "[link]"),
        ("ex\u200bample.com", "[link]"),
        ("server 10.0.0.1:8080", "server [link]"),
        ("node.js, e.g. this, i.e. that. So", "node.js, e.g. this, i.e. that. So"),
        ("main.py and index.html", "main.py and index.html"),
    ],
)
def test_addresses_are_masked(text, masked):
    assert mask_blind(text) == masked


@pytest.mark.parametrize(
    "date",
    [
        "12 March 2025", "March 12, 2025", "12th of March, 2025", "12. März 2024", "2025-03-12", "2025/03/12",
        "12.03.2025", "12/03/2025", "3/12/25", "2025-03-12T10:00:00Z", "2025-03-12 10:00", "Q3 2024", "2024 Q3",
        "Jan 2025", "January 2025", "2025-03", "03/2025", "March 5th", "5 May", "summer 2024", "12 марта 2024",
        "2024年3月5日", "3月5日", "H1 2025", "١٢ March ٢٠٢٥", "Sept. 3, 2024", "Jan '25", "marzo 2024",
    ],
)  # fmt: skip
def test_calendar_dates_are_masked(date):
    assert mask_blind(f"Due {date} please") == "Due [date] please"


@pytest.mark.parametrize(
    "text", ["you may 5 times", "in 2024", "24/7 support", "page 3/4", "1.2.3 released", "3-5 days"]
)
def test_what_is_no_date_stays(text):
    assert mask_blind(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb\u2066c\u200dd\ufeffe", "abcde"),
        ("a\x00b\x07c\x1b[31m", "abc[31m"),
        ("a\tb\nc\r\nd\re\u2028f\x0bg", "a\tb\nc\nd\ne\nf\ng"),
        ("e\u0301", "é"),
        ("z" + "\u0489" * 50 + "a", "z" + "\u0489" * 4 + "a"),
        ("a\ud800b\ue000", "a\ufffdb\ufffd"),
        ("<script>&amp;", "<script>&amp;"),
        ("日本語 עברית हिन्दी 🙂", "日本語 עברית हिन्दी 🙂"),
        ("a\U000e0041b\u3164c", "abc"),
    ],
)
def test_only_what_is_seen_is_shown(text, shown):
    assert visible_text(text) == shown


@settings(deadline=None)
@given(st.text())
def test_shown_text_is_shown_as_it_is(text):
    once = visible_text(text)
    assert visible_text(once) == once
    assert unicodedata.normalize("NFC", once) == once
    assert not any(unicodedata.category(char) in ("Cf", "Cs") for char in once)
    assert all(char in "\n\t" for char in once if unicodedata.category(char) == "Cc")


HOSTILE = [
    "1", "1 ", "$", "$1 ", "a", "budget ", "budget 1 ", "5o", "one ", "hundred-", "a.", "a@", "a-", "www.", "1-",
    "1/1/",
    "jan ", "2024-", "5\u200b", " ", "1,", "z\u0301", "kr ", "US $ ", "٣", "五", "\n", "[", "&#0", "a [at] ", "1 or ",
    "q1 ", "1.1.", "May 1 ", "http:", "1 (", "111 ", "a_-",
]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE[::4])
def test_masking_takes_its_time_in_proportion(unit):
    _check_time(unit, length=20_000, seconds=4.0)


@pytest.mark.slow
@pytest.mark.parametrize("unit", HOSTILE)
def test_long_hostile_texts_are_masked_in_time(unit):
    _check_time(unit, length=100_000, seconds=20.0)


def _check_time(unit, *, length, seconds):
    text = unit * (length // len(unit))
    begin = time.perf_counter()
    visible_text(mask_blind(text, (500.0,)))
    assert time.perf_counter() - begin < seconds
