"""Dice: fair, seeded, and complete."""

from collections import Counter

import numpy as np
import pytest

from valuation.simulation.dice import BLOCK, Dice


@pytest.fixture
def dice():
    return Dice(np.random.default_rng(5))


def test_the_stream_goes_on_past_its_block(dice):
    drawn = [dice.uniform() for _ in range(BLOCK + 10)]
    rng = np.random.default_rng(5)
    assert drawn == [*rng.random(BLOCK).tolist(), *rng.random(BLOCK).tolist()[:10]]


def test_both_ends_are_reached_and_all_are_as_likely(dice):
    counts = Counter(dice.between(2, 5) for _ in range(8000))
    assert sorted(counts) == [2, 3, 4, 5]
    assert all(abs(count - 2000) < 4.5 * np.sqrt(8000 * 0.25 * 0.75) for count in counts.values())
    picks = Counter(dice.pick("abc") for _ in range(6000))
    assert sorted(picks) == ["a", "b", "c"]
    assert all(abs(count - 2000) < 4.5 * np.sqrt(6000 * 2 / 9) for count in picks.values())


def test_chance_is_the_probability_told(dice):
    assert abs(sum(dice.chance(0.2) for _ in range(5000)) - 1000) < 4.5 * np.sqrt(5000 * 0.16)
    assert not any(dice.chance(0.0) for _ in range(100))
    assert all(dice.chance(1.0) for _ in range(100))


def test_shuffling_keeps_every_item_and_reaches_every_order(dice):
    orders = Counter(tuple(dice.shuffled("abc")) for _ in range(3000))
    assert len(orders) == 6
    assert all(sorted(order) == ["a", "b", "c"] for order in orders)
    assert min(orders.values()) > 400
