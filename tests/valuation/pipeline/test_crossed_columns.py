"""Groups by a column or by two crossed: what is a group, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from valuation.errors import ConfigError
from valuation.pipeline.cells import crossed, labels, make_cells

MONTHS = ("2026-01", "2026-02", "2026-03")


@pytest.fixture
def sessions():
    return pd.DataFrame(
        {
            "session_id": [f"s{i}" for i in range(6)],
            "month": ["2026-01", "2026-01", "2026-03", "2026-03", "2026-03", "2026-01"],
            "weight": np.ones(6),
            "kind": ["fix", "build", "fix", None, "fix", "fix"],
            "agent": ["b", "a", "a", "a", "b", "b"],
        }
    )


def test_two_columns_crossed_are_groups_of_both(sessions):
    found = labels(sessions, "kind x agent")
    assert found.tolist() == ["fix x b", "build x a", "fix x a", "(missing) x a", "fix x b", "fix x b"]
    assert labels(sessions, "agent x kind").tolist()[1] == "a x build"


def test_cells_number_months_then_groups_in_order(sessions):
    cells = make_cells(sessions, MONTHS, ("agent", "kind x agent"))
    named = {(group.group_by, group.name): group.cell.tolist() for group in cells.groups}
    assert named == {
        ("", ""): [0, -1, 2],
        ("agent", "a"): [3, -1, 5],
        ("agent", "b"): [6, -1, 8],
        ("kind x agent", "(missing) x a"): [-1, -1, 11],
        ("kind x agent", "build x a"): [12, -1, -1],
        ("kind x agent", "fix x a"): [-1, -1, 17],
        ("kind x agent", "fix x b"): [18, -1, 20],
    }
    assert list(named)[1:3] == [("agent", "a"), ("agent", "b")] and cells.n_cells == 21
    assert cells.code.tolist() == [[0, 0, 2, 2, 2, 0], [6, 3, 5, 5, 8, 6], [18, 12, 17, 11, 20, 18]]


def test_a_column_that_is_called_like_a_cross_is_itself(sessions):
    named = sessions.assign(**{"kind x agent": "one"})
    assert set(labels(named, "kind x agent")) == {"one"}
    assert crossed("kind x agent", ["kind", "agent", "kind x agent"]) == ("kind x agent",)
    assert crossed("kind  x  agent", ["kind", "agent"]) == ("kind", "agent")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("team",), r"sessions have no column 'team'; they have kind, agent; two columns are crossed as 'a x b'"),
        (("kind x team",), "sessions have no column 'team'; they have kind, agent"),
        (("kind*agent",), r"no column 'kind\*agent'; .* crossed as 'a x b'"),
        (("kind x kind",), "'kind x kind' crosses a column with itself; name it alone"),
        (("kind x agent x kind",), "'kind x agent x kind' crosses 3 columns; at most two can be crossed"),
        (("kind", "kind"), "kind, kind: a column is named twice; name each once"),
        (("kind x agent", "agent x kind"), "kind x agent, agent x kind: a column is named twice"),
    ],
)
def test_what_cannot_be_grouped_by_is_refused(sessions, asked, message):
    with pytest.raises(ConfigError, match=f"series.group_by: .*{message}"):
        make_cells(sessions, MONTHS, asked)


def test_too_many_groups_when_crossed():
    rows = pd.DataFrame(
        {"month": "2026-01", "a": [f"a{i % 11}" for i in range(110)], "b": [f"b{i % 10}" for i in range(110)]}
    )
    assert labels(rows, "a").nunique() == 11
    with pytest.raises(ConfigError, match="'a x b' has 110 groups, at most 100 can be shown; group by a coarser"):
        labels(rows, "a x b")


def test_names_that_cannot_be_told_apart_when_joined_are_refused():
    rows = pd.DataFrame({"month": "2026-01", "a": ["p x q", "p"], "b": ["r", "q x r"]})
    with pytest.raises(ConfigError, match="names contain ' x ' and cannot be told apart when joined; rename them"):
        labels(rows, "a x b")
