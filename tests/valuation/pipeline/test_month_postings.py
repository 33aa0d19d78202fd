"""Which postings price a month alone, and what is said when they are too few."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from valuation.pipeline.price_volume import (
    MonthPostings,
    PreparedPriceVolume,
    _lacking,
    _postings_of,
    price_volume_table,
)


def settings(k):
    return SimpleNamespace(matching=SimpleNamespace(k=k), series=SimpleNamespace(level=0.95))


def end(month, effective):
    return MonthPostings(month, np.arange(3), effective)


def test_postings_of_a_month_are_of_the_sources_named():
    rows = pd.DataFrame(
        {"month": ["2026-01", "2026-02", "2026-01", "2026-01", "2026-01"], "source": ["a", "a", "b", "a", "a"]}
    )
    model = SimpleNamespace(rows=rows, arrays=SimpleNamespace(unit=np.array([4, 1, 2, 4, 3])))
    found = _postings_of(model, "2026-01", {"a"})
    assert found.rows.tolist() == [0, 3, 4] and found.effective == pytest.approx(9 / 5)
    assert _postings_of(model, "2026-03", {"a"}).effective == 0.0


@pytest.mark.parametrize(
    ("first", "second", "k", "reason"),
    [
        (500.0, 500.0, 50, None),
        (499.6, 900.0, 50, "a month needs 500 effective postings of the base month's sources; 2026-01 has 500"),
        (800.0, 12.3, 50, "a month needs 500 effective postings of the base month's sources; 2026-02 has 12"),
        (800.0, 700.0, 750, "a month needs 750 effective postings of the base month's sources; 2026-02 has 700"),
        (
            0.0,
            0.0,
            50,
            "a month needs 500 effective postings of the base month's sources; 2026-01 has 0, 2026-02 has 0",
        ),
    ],
)
def test_too_few_postings_are_counted_by_month(first, second, k, reason):
    assert _lacking((end("2026-01", first), end("2026-02", second)), settings(k)) == reason


def test_without_figures_every_term_has_the_reason():
    prepared = PreparedPriceVolume((end("2026-01", 3.0), end("2026-02", 4.0)), None, "too few")
    table = price_volume_table(prepared, None, settings(50))
    assert table["term"].tolist() == ["nominal", "price", "volume", "lowe_from", "lowe_to"]
    assert (table["reason"] == "too few").all() and table[["estimate", "lower", "upper"]].isna().all().all()
    assert (table["postings_from"] == 3).all() and (table["postings_to"] == 4).all() and prepared.columns == []
