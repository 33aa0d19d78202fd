"""The grid as pure data: what is crossed, what is left out by rule, and that the headline is always there."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valuation.config import load
from valuation.config.sections import Sensitivity
from valuation.evidence import specifications
from valuation.evidence.specifications import Block, blocks, headline

SOURCES = ("b", "a", "c")
ENDS = ["low ends of ranges", "high ends of ranges"]
OTHER_ROOMS = (("bundled", "none"), ("static", "centred"), ("static", "none"))
NARROW = {
    "pricer": ["matching"], "k": [50], "tau": [0.1], "s_min": ["auto"], "register": ["none"],
    "statistic": ["mean_log"], "encoder": ["same"], "basket": ["all"], "truncation": [0.0], "weighting": ["sessions"],
}  # fmt: skip


PLAIN = load(None, [])


def grid(wanted, sources, *, ranges=True):
    return specifications.grid(wanted, sources, ranges=ranges)


def settings_with(run=(), **lists):
    base = load(None, list(run)) if run else PLAIN
    wanted = Sensitivity.model_validate(base.sensitivity.model_dump(by_alias=True) | NARROW | lists)
    return base.model_copy(update={"sensitivity": wanted})


def test_the_headline_alone():
    alone = settings_with()
    assert grid(alone, SOURCES) == (headline(alone),)
    assert headline(alone).block == Block("bundled", "none", "all", 0.0)


def test_the_headline_is_first_and_its_values_are_in_every_list():
    chosen = settings_with(
        run=["matching.k=7", "matching.s_min=0.25", "pricing.pricer=hedonic", "register.mode=centred"],
        pricer=["neighbours"], k=[5], weighting=["users"], truncation=[0.05],
    )  # fmt: skip
    found = grid(chosen, SOURCES)
    own = found[0]
    assert own == headline(chosen)
    assert (own.k, own.s_min, own.pricer, own.block.register_mode) == (7, "0.25", "hedonic", "centred")
    assert {s.k for s in found if s.pricer == "neighbours"} == {5, 7}
    assert {s.weighting for s in found} == {"sessions", "users"}
    assert {s.block.truncation for s in found} == {0.0, 0.05}


def test_neighbours_do_not_multiply_the_regression():
    found = grid(settings_with(pricer=["matching", "neighbours", "hedonic"], k=[10, 25], tau=[0.05, 0.2]), SOURCES)
    by_pricer = {name: [(s.k, s.tau) for s in found if s.pricer == name] for name in ("matching", "hedonic")}
    assert by_pricer["hedonic"] == [(50, 0.1)]
    assert sorted(by_pricer["matching"]) == sorted(itertools.product((10, 25, 50), (0.05, 0.1, 0.2)))
    assert len(found) == 9 + 9 + 1


def test_a_filter_and_a_truncation_are_not_crossed():
    found = grid(settings_with(basket=["all", "each_source_out", "full_text"], truncation=[0.0, 0.01]), SOURCES)
    assert [(s.block.basket, s.block.truncation) for s in found] == [
        ("all", 0.0), ("all", 0.01), ("without a", 0.0), ("without b", 0.0), ("without c", 0.0), ("full_text", 0.0),
    ]  # fmt: skip


def test_of_a_single_source_none_is_left_out():
    found = grid(settings_with(basket=["each_source_out"]), ["only"])
    assert [s.block.basket for s in found] == ["all"]


def test_ends_of_ranges_are_of_the_whole_basket_and_of_one_that_has_ranges():
    both = settings_with(basket=["high_ends", "all", "low_ends", "each_source_out"], truncation=[0.01])
    baskets = [(s.block.basket, s.block.truncation) for s in grid(both, SOURCES[:2])]
    assert baskets == [
        ("all", 0.0), ("all", 0.01), (ENDS[1], 0.0), (ENDS[0], 0.0), ("without a", 0.0), ("without b", 0.0),
    ]  # fmt: skip
    without = grid(both, SOURCES[:2], ranges=False)
    assert [s.block.basket for s in without] == ["all", "all", "without a", "without b"]
    other = settings_with(
        run=["register.mode=centred"], basket=["low_ends"], register=["none"], encoder=["same", "static"]
    )
    assert [s.block for s in grid(other, SOURCES)] == [
        Block("bundled", "centred", "all", 0.0), Block("bundled", "centred", ENDS[0], 0.0),
        *(Block(encoder, mode, "all", 0.0) for encoder, mode in OTHER_ROOMS),
    ]  # fmt: skip


def test_an_encoder_named_as_the_run_has_it_is_the_same():
    found = grid(settings_with(encoder=["same", "bundled", "static"]), SOURCES)
    assert [s.block.encoder for s in found] == ["bundled", "static"]


def test_the_default_grid_is_of_the_size_that_the_documents_promise():
    six = ["one", "two", "three", "four", "five", "six"]
    found = grid(PLAIN, six)
    assert len(found) == 720 and len(blocks(found)) == 18 and len(grid(PLAIN, six, ranges=False)) == 640
    assert sum(s.block.basket in ENDS for s in found) == 80
    own = headline(PLAIN)
    changed = {
        name
        for name in ("pricer", "k", "s_min", "statistic", "weighting")
        if len({getattr(s, name) for s in found}) > 1
    }
    assert changed == {"pricer", "k", "s_min", "statistic", "weighting"} and own == found[0]


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.sampled_from([5, 50, 80]), min_size=1, max_size=4),
    st.permutations(["matching", "neighbours", "hedonic"]),
    st.permutations(["none", "centred"]),
)
def test_order_and_repeats_of_lists_do_not_matter(k, pricers, registers):
    found = grid(settings_with(k=k, pricer=pricers, register=registers), SOURCES)
    again = grid(settings_with(k=sorted(set(k)), pricer=sorted(pricers), register=sorted(registers)), SOURCES)
    assert len(found) == len(set(found)) and set(found) == set(again)


def test_blocks_share_out_every_specification_once_room_by_room():
    found = grid(PLAIN, SOURCES)
    shared = blocks(found)
    assert sorted(map(hash, itertools.chain(*shared.values()))) == sorted(map(hash, found))
    assert all(member.block == block for block, members in shared.items() for member in members)
    rooms = [key for key, _ in itertools.groupby((block.encoder, block.register_mode) for block in shared)]
    assert len(rooms) == len(set(rooms)) == 2
    assert next(iter(shared.values()))[0] == found[0]


@pytest.mark.parametrize(
    ("block", "title"),
    [
        (Block("x", "none", "all", 0.0), "register none, basket all"),
        (Block("x", "centred", "all", 0.01), "register centred, basket all, 0.01 of prices cut off each tail"),
    ],
)
def test_a_block_says_what_it_is(block, title):
    assert block.title == title
