"""What holds of any input: addresses and tokens come back, figures stay inside, sums are those of the definition."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from urllib.parse import parse_qsl

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from valuation.errors import InputError
from valuation.review.cards import LEAD, LONGEST, Neighbour, effects, listed, safe_url, split
from valuation.review.figures import MARGIN, WIDTH, axis, dollars, price_figure, signed_dollars, waterfall
from valuation.review.judging import read_price
from valuation.review.progress import _minutes, disagreements
from valuation.review.query import MOST_FILTERS, QUEUES, VERDICT_FILTERS, Query, read_query
from valuation.review.series_figure import HEIGHT, series_figure
from valuation.review.session import local_path
from valuation.review.tokens import gig_of, gig_token, shuffled
from valuation.verdicts import VERDICTS, Entry, Stored

COLUMNS = {
    "month": "text",
    "value_usd": "number",
    "a.b": "number",
    'x"; --': "text",
    "matched": "flag",
    "é =&": "number",
}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
PRICE = st.floats(0.01, 1e7)
KEY = b"k" * 32

queries = st.builds(
    lambda equal, least, most, **rest: Query(
        equal=tuple(sorted((name, tuple(sorted(values))) for name, values in equal.items())),
        least=tuple(sorted(least.items())),
        most=tuple(sorted(most.items())),
        **rest,
    ),
    equal=st.dictionaries(st.sampled_from(list(COLUMNS)), st.sets(TEXT, min_size=1, max_size=3), max_size=4),
    least=st.dictionaries(st.sampled_from(["value_usd", "a.b", "é =&"]), NUMBER),
    most=st.dictionaries(st.sampled_from(["value_usd", "a.b", "é =&"]), NUMBER),
    queue=st.sampled_from(list(QUEUES)),
    words=TEXT.map(str.strip),
    verdicts=st.sampled_from(VERDICT_FILTERS),
    sort=st.sampled_from(["", *COLUMNS]),
    descending=st.booleans(),
    page=st.integers(1, 99_999_999),
)


@given(queries)
def test_a_list_is_found_again_by_its_address(query):
    assume(query.sort or not query.descending)
    again = read_query(parse_qsl(query.address(), keep_blank_values=True), COLUMNS)
    assert again == query and again.address() == query.address()


@given(queries, st.sampled_from(list(COLUMNS)), TEXT)
def test_a_facet_switched_twice_is_as_before(query, column, value):
    on = query.toggled(column, value)
    assert (value in on.chosen(column)) != (value in query.chosen(column)) and on.page == 1
    assert on.toggled(column, value) == query.with_()


@given(
    st.lists(
        st.tuples(
            TEXT | st.sampled_from(["page", "sort", "is.month", "min.value_usd", "min.month", "order", "queue"]), TEXT
        ),
        max_size=60,
    )
)
def test_any_address_is_a_query_or_refused_in_words(pairs):
    try:
        query = read_query(pairs, COLUMNS)
    except InputError as refused:
        assert str(refused) and "\n" not in str(refused)
    else:
        assert query.page >= 1 and query.queue in QUEUES and query.sort in ("", *COLUMNS)


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([("page", "0")], "page '0': expected a number from 1"), ([("page", "1000000000")], "page '1000000000'"),
        ([("page", "٢")], "expected a number from 1"), 
        ([("page", "-1")], "page '-1'"), ([("page", " 1")], "page ' 1'"), ([("is.nothing", "x")],
        "no column 'nothing' to filter by; columns are month"), 
        ([("min.value_usd", "x")], "min.value_usd = 'x': expected a number"), ([("min.value_usd", "nan")],
        "expected a number"), ([("max.value_usd", "1e999")], "expected a number"), 
        ([("min.value_usd", "1_0")], "expected a number"), ([("min.value_usd", "٣")], "expected a number"),
        ([("min.month", "1")], "min.month: a range needs a column of numbers"), 
        ([("sort", "nothing")], "sort 'nothing': expected one of"), ([("order", "up")],
        "order 'up': expected one of asc, desc"), ([("queue", "x")], "queue 'x': expected one of all, uncertain"), 
        ([("verdicts", "x")], "verdicts 'x': expected one of nothing, none"), ([("is.month",
        str(n)) for n in range(MOST_FILTERS + 1)], "more than 40 parts"), 
    ],
)  # fmt: skip
def test_what_a_list_cannot_be_asked_for(pairs, message):
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        read_query(pairs, COLUMNS)


def test_odd_but_sound_addresses_are_read():
    read = read_query(
        [("min.value_usd", "1,250.5"), ("max.value_usd", " "), ("is.month", ""), ("x", "y"), ("min.value_usd", "")],
        COLUMNS,
    )
    assert (read.least, read.most, read.equal) == ((("value_usd", 1250.5),), (), (("month", ("",)),))
    assert len(read_query([("is.month", str(n)) for n in range(MOST_FILTERS)], COLUMNS).equal[0][1]) == MOST_FILTERS
    assert len(read_query([("words", "w " * 300)], COLUMNS).words) == 199


@given(
    st.integers(1, 10**9),
    st.sampled_from(["{:,.2f}", "${:,.2f}", "{:.2f} USD", "USD {:,.2f}", " US${:.2f} ", "{:.2f}$"]),
    st.sampled_from([",", " ", "\u00a0", "\u202f"]),
)
def test_prices_are_read_as_people_write_them(cents, form, separator):
    assert read_price(form.format(cents / 100).replace(",", separator)) == cents / 100


@given(st.text(max_size=12) | st.text("0123456789.,$ eE+-_", max_size=12))
def test_any_text_is_a_price_nothing_or_refused_in_words(text):
    try:
        price = read_price(text)
    except InputError as refused:
        assert str(refused).startswith("price ") and "\n" not in str(refused)
    else:
        assert (price is None) == (not text.strip()) and (price is None or 0 < price < math.inf)
        digits = "".join(one for one in text if one.isdigit())

        assert price is None or float(digits) == pytest.approx(
            price * 10 ** (len(text.rpartition(".")[2].rstrip("usdUSD $")) if "." in text else 0)
        )


@given(TEXT.filter(lambda one: not one.endswith("\x00")), TEXT, TEXT)
def test_a_token_leads_back_in_its_place_and_nowhere_else(posting, place, elsewhere):
    token = gig_token(KEY, place, posting)
    assert gig_of(KEY, place, token) == posting == gig_of(KEY, place, token + "=")
    assert token == gig_token(KEY, place, posting) and token.isascii() and len(token) % 43 != 0
    assert posting not in token or len(posting) < 3
    for key, where in ((KEY, elsewhere), (b"other", place)):
        if (key, where) != (KEY, place):
            with pytest.raises(InputError, match="this gig is not one of this page's"):
                gig_of(key, where, token)
    turned = ("A" if token[0] != "A" else "B") + token[1:]
    with pytest.raises(InputError):
        gig_of(KEY, place, turned)


@given(st.text(max_size=80))
def test_no_text_is_a_token_by_chance(text):
    with pytest.raises(InputError):
        gig_of(KEY, "place", text)


def test_tokens_lengths_do_not_tell_sources_apart():
    assert len({len(gig_token(KEY, "p", "x" * n)) for n in range(1, 64)}) == 1


@given(st.lists(TEXT, unique=True, max_size=8), st.randoms())
def test_the_order_on_a_page_depends_on_the_place_only(ids, random):
    mixed = ids.copy()
    random.shuffle(mixed)
    assert shuffled(KEY, "place", ids) == shuffled(KEY, "place", mixed)
    assert sorted(shuffled(KEY, "place", ids)) == sorted(ids)


@given(st.text("ab \n", max_size=1200) | st.text("a", min_size=400, max_size=800))
def test_a_text_is_cut_at_a_space_and_nothing_is_lost(text):
    lead, rest = split(text)
    assert "".join((lead + rest).split()) == "".join(text.split())
    assert len(lead) <= LEAD + 80
    if rest and " " in lead + rest[:1]:
        assert text.strip()[len(lead)] == " " or " " not in text.strip()[LEAD - 60 : LEAD + 60]
    assert split("x" * 9000)[1].endswith(" […]") and len("".join(split("x" * 9000))) == LONGEST + 4


@given(st.text(max_size=40))
def test_only_addresses_of_the_web_are_links(text):
    found = safe_url(text)
    assert found is None or (found == text and text.lower().startswith(("http://", "https://")) and text.isprintable())
    assert safe_url("https://x/" + text) in (None, "https://x/" + text)


@given(st.text(max_size=40), st.sampled_from(["", "/", "//", "/\\", "\\", "http:", "/\t"]))
def test_ways_back_stay_on_the_site(text, start):
    from urllib.parse import urljoin, urlsplit

    found = local_path(start + text)
    assert found.startswith("/") and not found.startswith("//") and "\\" not in found and found.isprintable()
    try:
        joined = urlsplit(urljoin("http://127.0.0.1:8765/a/b", found)).netloc
    except ValueError:
        joined = "127.0.0.1:8765"
    assert joined == "127.0.0.1:8765"


@pytest.mark.parametrize(
    ("given", "expected"),
    [("['Data Science', \"R\"]", "Data Science, R"), ("a, b", "a, b"), ("[]", ""), ("[a]", "a"), (None, ""),
         ("['it''s']", "it, s"), (" [1] ", "1")], 
)  # fmt: skip
def test_skills_are_written_as_people_do(given, expected):
    assert listed(given) == expected


prices = st.lists(PRICE, min_size=1, max_size=12)


@given(prices, st.data())
def test_all_of_a_price_figure_lies_inside_it(given_prices, data):
    n = len(given_prices)
    weights = data.draw(st.lists(st.floats(0, 1), min_size=n, max_size=n))
    assume(max(weights) > 0)
    bands = [tuple(sorted(data.draw(st.tuples(PRICE, PRICE)))) if data.draw(st.booleans()) else None for _ in range(2)]
    figure = price_figure(given_prices, weights, data.draw(PRICE), *bands)
    places = [figure.value, *(dot.x for dot in figure.dots), *(tick.x for tick in figure.axis.ticks)]
    for span in (figure.typical, figure.single):
        places += [] if span is None else [span.x, span.x + span.width]
        assert span is None or span.width >= 0
    assert all(MARGIN - 0.01 <= one <= WIDTH - MARGIN + 0.01 for one in places)
    assert all(2 <= dot.radius <= 7 and 40 < dot.y < 122 for dot in figure.dots)
    assert 1 <= len(figure.axis.ticks) <= 10
    xs = [tick.x for tick in figure.axis.ticks]
    assert xs == sorted(set(xs))
    order = sorted(range(n), key=lambda one: given_prices[one])
    assert all(figure.dots[a].x <= figure.dots[b].x for a, b in zip(order, order[1:], strict=False))


@given(prices)
def test_an_axis_is_logarithmic(given_prices):
    found = axis(given_prices)
    low, high = found.low, found.high
    assert found.x(low) == MARGIN and found.x(high) == WIDTH - MARGIN
    assert found.x(math.sqrt(low * high)) == pytest.approx(WIDTH / 2, abs=0.02)
    assert found.x(low / 2) == MARGIN and found.x(high * 2) == WIDTH - MARGIN


@given(st.lists(PRICE, min_size=2, max_size=5))
def test_a_waterfall_goes_from_step_to_step(ends):
    steps, whole = waterfall([(f"s{n}", price) for n, price in enumerate(ends)])
    assert [one.total for one in steps] == [True] + [False] * (len(ends) - 2) + [True]
    for before, step in zip(steps, steps[1:], strict=False):
        assert step.factor == pytest.approx(step.price / before.price)
        if not step.total:
            assert step.rises == (step.price >= before.price)
            assert {step.x, round(step.x + step.width, 2)} & {whole.x(before.price), whole.x(step.price)}
    assert all(MARGIN <= one.x <= WIDTH - MARGIN and one.width >= 1.5 for one in steps)


@given(st.lists(st.tuples(st.floats(0.01, 1), st.floats(-3, 3)), min_size=2, max_size=8), st.floats(0.2, 2))
def test_the_effect_of_a_neighbour_is_the_value_less_the_value_without_it(rows, slope):
    weights = np.array([weight for weight, _ in rows]) / sum(weight for weight, _ in rows)
    logs = np.array([log for _, log in rows])
    value = math.exp(0.3 + slope * float(weights @ logs))
    neighbours = [
        Neighbour(f"p{n}", n + 1, 0.5, w, 1.0, 0.0, w * x) for n, (w, x) in enumerate(zip(weights, logs, strict=True))
    ]
    moved = effects(neighbours, value, slope)
    for at, effect in enumerate(moved):
        left = np.delete(weights, at) / np.delete(weights, at).sum()
        assert effect == pytest.approx(
            value - math.exp(0.3 + slope * float(left @ np.delete(logs, at))), rel=1e-6, abs=1e-9
        )


def test_the_only_neighbour_has_no_effect_that_could_be_told():
    assert math.isnan(effects([Neighbour("p", 1, 0.5, 1.0, 9.0, 2.0, 2.0)], 7.0, 1.0)[0])


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0.005, "$0.005"), (0.5, "$0.5"), (1, "$1"), (12.345, "$12.3"), (99.96, "$100"), (100, "$100"), (1234.5,
         "$1,234"), (1e7, "$10,000,000")], 
)  # fmt: skip
def test_dollars_for_people(amount, text):
    assert dollars(amount) == text
    assert signed_dollars(amount) == f"+{text}" and signed_dollars(-amount) == f"−{text}" and signed_dollars(0) == "+$0"


START = dt.datetime(2026, 7, 1, 9)


@pytest.mark.parametrize(
    ("seconds", "n_mine", "n_verdicts", "n_left", "minutes"),
    [
        ([], 0, 0, 9, None), ([0], 1, 1, 9, None), ([0, 60], 0, 2, 9, None), ([0, 400], 1, 2, 9, None),
        ([0, 60], 1, 2, 10, 20.0), ([0, 30, 90, 100], 2, 4, 6, 6.0), ([0, 60, 4000, 4060], 2, 4, 3, 6.0), ([0, 60], 1,
        5, 0, 0.0), ([0, 0, 0], 1, 3, 7, 0.0), 
    ],
)  # fmt: skip
def test_time_left_is_the_usual_gap_times_what_is_left(seconds, n_mine, n_verdicts, n_left, minutes):
    times = [START + dt.timedelta(seconds=one) for one in seconds]
    assert _minutes(times, n_mine, n_verdicts, n_left) == minutes


lines = st.lists(
    st.tuples(st.sampled_from("st"), st.sampled_from(["", "p", "q"]), st.sampled_from("ABC"),
    st.sampled_from(VERDICTS), st.booleans()), 
    max_size=14,
    unique_by=lambda one: (one[0], one[1], one[2], one[4]),
)  # fmt: skip


@given(lines)
@settings(max_examples=200)
def test_disagreements_are_different_words_by_different_people_on_one_thing(given_lines):
    standing = [
        Stored(
            number, False,
            Entry(token=str(number), session_id=session, posting_id=gig, analyst=who, verdict=word,
            adjudicates=settles, decided_at=START), 
        )
        for number, (session, gig, who, word, settles) in enumerate(given_lines)
    ]  # fmt: skip
    found = {one.session_id: one for one in disagreements(standing)}
    for session in "st":
        words = defaultdict(set)
        people = defaultdict(set)
        for where, gig, who, word, settles in given_lines:
            if where == session and not settles and word != "cant_say":
                words[gig].add(word)
                people[gig].add(who)
        differ = [gig for gig, said in words.items() if len(said) > 1]
        settled = [
            (gig, who) for where, gig, who, _, settles in given_lines if where == session and settles and gig in differ
        ]
        assert (session in found) == bool(differ)
        if differ:
            assert found[session].n_gigs == len(differ)
            assert found[session].analysts == tuple(sorted(set().union(*(people[gig] for gig in differ))))
            whole = {gig for gig, _ in settled} == set(differ)
            assert found[session].settled_by == (settled[-1][1] if whole else "")
    order = [bool(one.settled_by) for one in disagreements(standing)]
    assert order == sorted(order)


@given(st.lists(st.tuples(st.floats(1, 1e4), st.floats(0, 0.9), st.booleans(), st.booleans()), max_size=14))
def test_all_of_the_series_figure_lies_inside_it(months):
    rows = [
        {
            "month": f"20{24 + n // 12}-{n % 12 + 1:02}", "suppressed": hidden, "index_number": level,
            "lower": level * (1 - share) if known else math.nan, 
            "upper": level * (1 + share) if known else math.nan,
            "simultaneous_lower": level * (1 - share) ** 2 if known else math.nan, 
            "simultaneous_upper": level * (1 + share) ** 2 if known else math.nan, "n_matched": 3, "n_sessions": 4,
        }
        for n, (level, share, hidden, known) in enumerate(months)
    ]  # fmt: skip
    columns = [
        "month",
        "suppressed",
        "index_number",
        "lower",
        "upper",
        "simultaneous_lower",
        "simultaneous_upper",
        "n_matched",
        "n_sessions",
    ]
    figure = series_figure(pd.DataFrame(rows, columns=columns).astype({"suppressed": bool}))
    shown = [row for row in rows if not row["suppressed"]]
    if not shown:
        assert figure is None
        return
    assert [month.month for month in figure.months] == [row["month"] for row in shown]
    ys = [month.y for month in figure.months] + [y for y, _ in figure.ticks]
    ys += [y for month in figure.months for y in (month.lower_y, month.upper_y) if y is not None]
    for polygon in (figure.band, figure.simultaneous, figure.line):
        ys += [float(point.split(",")[1]) for point in polygon.split()]
    assert all(0 <= y <= HEIGHT for y in ys)

    assert all(
        month.upper_y <= month.y + 0.01 and month.y <= month.lower_y + 0.01
        for month in figure.months
        if month.lower_y is not None
    )
    assert 2 <= len(figure.ticks) <= 8
