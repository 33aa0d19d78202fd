"""Bounties in the titles and labels of issues: `[$250]` and its like, and software's own amounts, which are none."""

import doctest
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers import money_bounty
from crawlers.money import Budget
from crawlers.money_bounty import bounty_in_title, label_amount

TITLES = [
    # title, low, high, currency
    ("[$250] Title of an issue", 250, 250, "USD"),
    ("[$250]Title", 250, 250, "USD"),
    ("[ $250 ] Title", 250, 250, "USD"),
    ("Title [$250]", 250, 250, "USD"),
    ("[$500] [HOLD] [mWeb] Title", 500, 500, "USD"),
    ("[HOLD for payment 2024-05-20] [$250] Title", 250, 250, "USD"),
    ("[Hold #1234] [$125] Title", 125, 125, "USD"),
    ("[LOW] [Split][$250] Workspace - Amount $0.00 shows instead of $12.00", 250, 250, "USD"),
    ("[$250] [$250.00] Title", 250, 250, "USD"),
    ("[$250] Gift cards - $25", 250, 250, "USD"),
    ("[$250] A $5 bounty is shown twice", 250, 250, "USD"),
    ("[$1,000] Title", 1000, 1000, "USD"),
    ("[$1k] Title", 1000, 1000, "USD"),
    ("[250$] Title", 250, 250, "USD"),
    ("[250 USD] Title", 250, 250, "USD"),
    ("[€250] Title", 250, 250, "EUR"),
    ("[0.5 ETH] Title", 0.5, 0.5, "ETH"),
    ("[$250 - $500] Title", 250, 500, "USD"),
    ("[BOUNTY: $250] Fix total of $12", 250, 250, "USD"),
    ("［$250］ Title", 250, 250, "USD"),
    ("【$250】 Title", 250, 250, "USD"),
    ("$250 bounty", 250, 250, "USD"),
    ("$250 Bounty: fix it", 250, 250, "USD"),
    ("Bounty: $250 to fix it", 250, 250, "USD"),
    ("Bounty $250 for fixing the $12 bug", 250, 250, "USD"),
    ("Bounty of $250 to fix it", 250, 250, "USD"),
    ("Reward: 100 DAI", 100, 100, "DAI"),
    ("💰 $1,000", 1000, 1000, "USD"),
    ("💰$500 💰 Title", 500, 500, "USD"),
    ("💰 $250, was $300", 250, 250, "USD"),
    ("💎 $250 | Title", 250, 250, "USD"),
    ("Title - $250", 250, 250, "USD"),
    ("Title – $50–100", 50, 100, "USD"),
    ("Title | $250", 250, 250, "USD"),
    ("Title ($250)", 250, 250, "USD"),
    ("Title (bounty: $250)", 250, 250, "USD"),
    ("$250 - Title", 250, 250, "USD"),
    ("$250 | Title", 250, 250, "USD"),
    ("$250: Title", 250, 250, "USD"),
    ("($250) Title", 250, 250, "USD"),
    ("$50 - $100 - Title", 50, 100, "USD"),
]
NO_BOUNTY = [
    ("", "none"),
    ("Title", "none"),
    ("[$TBD] Title", "none"),
    ("[$] Title", "none"),
    ("[#250] Title", "none"),
    ("[250] Title", "none"),
    ("[2024-05-20] Title", "none"),
    ("[$ Wave 3] Title", "none"),
    ("Total shows $10 instead of $12", "none"),
    ("Total shows $10", "none"),
    ("$10 coupon is not applied", "none"),
    ("Payments above $500 fail", "none"),
    ("Refund of $10 - fails", "none"),
    ("Workspace - $10 expense shows as $12", "none"),
    ("Add $5 reward option", "none"),
    ("Support Node 20 - 2024", "none"),
    ("[$250] [$500] Title", "several"),
    ("[$250] [Bounty: $300] Title", "several"),
    ("[$250 → $500] Title", "several"),
    ("Bounty: $250, later bounty: $500", "several"),
    ("[$250 + $50 bonus] Title", "several"),
    ("[$250 each] Title", "other_unit"),
    ("[up to $500] Title", "open"),
    ("Bounty: up to $500 for a fix", "open"),
    ("Up to $500 bounty", "open"),
    ("[$500+] Title", "open"),
    ("[$0] Title", "zero"),
    ("[$500 - $250] Title", "reversed"),
]
LABELS = [
    # label, low, currency
    ("$250", 250, "USD"),
    ("$1k", 1000, "USD"),
    ("$ 1,000.00", 1000, "USD"),
    ("bounty-$500", 500, "USD"),
    ("bounty/$100", 100, "USD"),
    ("bounty: $250", 250, "USD"),
    ("bounty:$1,000", 1000, "USD"),
    ("Bounty: 500 USD", 500, "USD"),
    ("Bounty $1.5k", 1500, "USD"),
    ("bounty: medium ($100)", 100, "USD"),
    ("💵 $1,500", 1500, "USD"),
    ("💎 $50", 50, "USD"),
    ("$50 💎", 50, "USD"),
    ("100 USDC", 100, "USDC"),
    ("€50", 50, "EUR"),
    ("💰 250", 250, None),
    ("💰\ufe0f 250", 250, None),
    ("💰 1,500", 1500, None),
    ("250 💰", 250, None),
    ("💰 bounty 💰 250", 250, None),
    ("bounty-500", 500, None),
    ("bounty_500", 500, None),
    ("bounty/100", 100, None),
    ("bounty::250", 250, None),
    ("bounty-1k", 1000, None),
    ("reward:100", 100, None),
    ("100 bounty", 100, None),
]
NO_AMOUNT = [
    ("", "none"),
    ("💎 Bounty", "none"),
    ("💰 Rewarded", "none"),
    ("$$$", "none"),
    ("$bounty", "none"),
    ("250", "none"),
    ("good first issue 2", "none"),
    ("P1", "none"),
    ("v2.5", "none"),
    ("size/500", "none"),
    ("priority: 500", "none"),
    ("💰 100 points", "none"),
    ("hacktoberfest-2024", "none"),
    ("bounty-2024", "unclear"),
    ("bounty 1.000", "unclear"),
    ("bounty-0", "zero"),
    ("$0", "zero"),
    ("-$500", "negative"),
    ("up to $500", "open"),
    ("$500+", "open"),
    ("$50/month", "other_unit"),
]


@pytest.mark.parametrize(("title", "low", "high", "currency"), TITLES)
def test_bounties_of_titles(title, low, high, currency):
    found = bounty_in_title(title)
    assert isinstance(found, Budget), found
    assert (found.low, found.high, found.currency) == (low, high, currency)


@pytest.mark.parametrize(("title", "reason"), NO_BOUNTY)
def test_titles_without_a_bounty(title, reason):
    assert bounty_in_title(title) == reason


@pytest.mark.parametrize(("label", "low", "currency"), LABELS)
def test_amounts_of_labels(label, low, currency):
    found = label_amount(label)
    assert isinstance(found, Budget), found
    assert (found.low, found.high, found.currency) == (low, low, currency)


@pytest.mark.parametrize(("label", "reason"), NO_AMOUNT)
def test_labels_without_an_amount(label, reason):
    assert label_amount(label) == reason


@given(
    st.integers(1, 10**6),
    st.sampled_from(["", "[HOLD] ", "[HOLD for payment 2026-01-02] "]),
    st.text("abc$5 -", max_size=40),
)
def test_the_amount_in_brackets_wins_over_whatever_the_title_says(amount, before, rest):
    found = bounty_in_title(f"{before}[${amount:,}] {rest}")
    assert isinstance(found, Budget)
    assert found.low == found.high == amount


@given(st.text(max_size=80))
def test_any_text_gives_a_positive_amount_or_nothing(text):
    for found in (bounty_in_title(text), label_amount(text)):
        assert not isinstance(found, Budget) or 0 < found.low <= found.high


def test_only_the_beginning_of_an_endless_title_is_read():
    assert bounty_in_title("x" * money_bounty.LONGEST + " [$250]") == "none"
    assert label_amount("💰 " * money_bounty.LONGEST) == "none"


def test_examples_in_docstrings():
    assert doctest.testmod(money_bounty).failed == 0


def test_the_page_on_prices_says_what_happens():
    page = (Path(__file__).parents[2] / "docs" / "prices.md").read_text(encoding="utf-8").split("## Bounties")[1]
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) == 3
    for titles, outcome in rows:
        for title in re.findall("`([^`]+)`", titles):
            found = bounty_in_title(title)
            assert outcome == (f"`{found}`" if isinstance(found, str) else f"{found.low:g} {found.currency}")
