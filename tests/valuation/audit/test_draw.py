from __future__ import annotations

import hashlib
import json
import shutil

import numpy as np
import pandas as pd
import pytest

from valuation.audit.opening import audit_ids, open_audit, settings_hash
from valuation.errors import ConfigError, InputError
from valuation.storage import read_sessions
from valuation.workspace import Workspace


def test_the_sample_stands_for_every_session_of_a_month(home):
    result = home.audit_draw(per_month=40)
    audit = open_audit(home.layout)
    values = pd.read_parquet(home.run_folder() / "values.parquet")
    growth = pd.read_parquet(home.run_folder() / "growth.parquet").iloc[0]
    assert audit.months == (growth["from_month"], growth["to_month"])
    for month in audit.months:
        mine = audit.sample[audit.sample["month"] == month]
        assert (1 / mine["inclusion_probability"]).sum() == pytest.approx((values["month"] == month).sum(), abs=1e-9)
        assert len(mine) == 40
    assert set(audit.frame["session_id"]) == set(values.loc[values["month"].isin(audit.months), "session_id"])
    assert audit.frame["inclusion_probability"].gt(0).all()
    sessions = read_sessions(home.layout).set_index("session_id")["user_id"]
    smallest = {user: min(mine) for user, mine in sessions.groupby(sessions).groups.items()}
    users = [smallest.get(sessions[one], one) for one in audit.frame["session_id"]]
    assert audit.frame["user"].tolist() == users
    assert len(set(users)) < len(users)
    assert set(audit.frame.loc[audit.frame["sampled"], "session_id"]) == set(audit.sample["session_id"])
    assert result.settings_hash == settings_hash(json.loads((home.run_folder() / "manifest.json").read_text()))


@pytest.mark.slow
def test_frame_and_sample_agree_with_the_strata(home):
    home.audit_draw(per_month=40)
    audit = open_audit(home.layout)
    counted = audit.frame.groupby("stratum").agg(n=("sampled", "size"), k=("sampled", "sum"))
    strata = audit.strata.set_index("stratum")
    assert counted["n"].tolist() == strata["sessions"].tolist()
    assert counted["k"].tolist() == strata["audits"].tolist()
    expected = (strata["audits"] / strata["sessions"])[audit.frame["stratum"]].to_numpy()
    assert audit.frame["inclusion_probability"].to_numpy() == pytest.approx(expected, abs=1e-12)
    for one in strata.to_dict("records"):
        rows = audit.frame[audit.frame["stratum"] == strata.index[strata["label"] == one["label"]][0]]
        assert rows["month"].unique().tolist() == [one["month"]]
        assert rows["matched"].eq(not one["unmatched"]).all()


@pytest.mark.slow
def test_thirds_and_kinds_are_those_of_the_sessions(home):
    home.audit_draw(per_month=1000)
    audit = open_audit(home.layout)
    kind = read_sessions(home.layout).set_index("session_id")["kind"]
    frame = audit.frame.merge(audit.strata, on="stratum").query("not unmatched and kind.notna()")
    assert (kind[frame["session_id"]].to_numpy() == frame["kind"].to_numpy()).all()
    third = frame[frame["third"].notna()].groupby(["month_y", "kind", "third"])["log_value"].agg(["min", "max"])
    assert len(third) > 3
    for _, rows in third.groupby(level=[0, 1]):
        assert (rows["max"].to_numpy()[:-1] <= rows["min"].to_numpy()[1:]).all()


@pytest.mark.slow
def test_the_order_of_work_is_a_permutation_and_not_the_order_of_ids(home):
    home.audit_draw(per_month=40, double_share=0.25)
    audit = open_audit(home.layout)
    assert audit.sample["place"].tolist() == list(range(1, 81))
    assert list(audit.wanted) == audit.sample["session_id"].tolist()
    assert sum(one == 2 for one in audit.wanted.values()) == 20
    ranks = audit.sample["session_id"].rank()
    assert abs(np.corrcoef(ranks, audit.sample["place"])[0, 1]) < 0.3
    first = audit.sample.head(40)
    assert 12 <= (first["month"] == audit.months[0]).sum() <= 28  # a start is random over months too


def test_the_same_draw_again_changes_nothing_and_another_is_refused(home):
    first = home.audit_draw(per_month=20, name="spring")
    before = _bytes(first.folder)
    again = home.audit_draw(per_month=20, name="spring")
    assert (first.unchanged, again.unchanged) == (False, True)
    assert "the same draw was there already" in again.text()
    with pytest.raises(
        InputError, match=r"another draw \(sessions drawn 20, 20, now 21, 21\); nothing.*another --name"
    ):
        home.audit_draw(per_month=21, name="spring")
    with pytest.raises(InputError, match=r"another draw \(share judged twice 0.1, now 0.5\)"):
        home.audit_draw(per_month=20, name="spring", double_share=0.5)
    assert _bytes(first.folder) == before


def test_draws_do_not_depend_on_the_order_of_rows(home, tmp_path):
    first = home.audit_draw(per_month=30)
    other = tmp_path / "other"
    shutil.copytree(home.layout.root, other, ignore=shutil.ignore_patterns("audits"))
    folder = other / "runs" / first.run_id
    values = pd.read_parquet(folder / "values.parquet")
    values.sample(frac=1, random_state=3).to_parquet(folder / "values.parquet", index=False)
    second = Workspace(other).audit_draw(per_month=30)
    assert second.audit_id == first.audit_id
    for name in ("sample.parquet", "frame.parquet"):
        assert (second.folder / name).read_bytes() == (first.folder / name).read_bytes()


@pytest.mark.slow
def test_another_seed_draws_others(home):
    ids = []
    for seed in (1, 2):
        work = Workspace(home.layout.root, overrides=[f"audit.seed={seed}"])
        ids.append(set(open_audit(work.layout, work.audit_draw(per_month=20).audit_id).sample["session_id"]))
    assert 0 < len(ids[0] & ids[1]) < 30


@pytest.mark.slow
def test_newest_first_and_unfinished_ones_not_at_all(home):
    assert audit_ids(home.layout) == []
    with pytest.raises(InputError, match="no audit yet; draw one with: valuation audit draw"):
        open_audit(home.layout)
    for name in ("b", "a", "c"):
        home.audit_draw(per_month=20, name=name)
    (home.layout.audits / "half").mkdir()
    (home.layout.audits / "half" / "sample.parquet").write_bytes(b"x")
    assert audit_ids(home.layout) == ["c", "a", "b"]
    assert open_audit(home.layout).audit_id == "c"
    with pytest.raises(InputError, match="no audit 'half'; audits are c, a, b"):
        open_audit(home.layout, "half")
    with pytest.raises(InputError, match="no audit"):
        open_audit(home.layout, "../audits/a")


@pytest.mark.slow
def test_an_edited_sample_is_refused(home):
    result = home.audit_draw(per_month=20)
    path = result.folder / "sample.parquet"
    sample = pd.read_parquet(path)
    sample["inclusion_probability"] = sample["inclusion_probability"] / 2
    sample.to_parquet(path, index=False)
    with pytest.raises(InputError, match="not the file that was written"):
        open_audit(home.layout)


@pytest.mark.slow
def test_a_dry_run_writes_nothing_and_says_the_same(home):
    dry = home.audit_draw(per_month=20, dry_run=True)
    assert not home.layout.audits.exists()
    assert dry.strata == home.audit_draw(per_month=20).strata


@pytest.mark.slow
def test_months_can_be_chosen(home):
    months = sorted(pd.read_parquet(home.run_folder() / "values.parquet")["month"].unique())
    one = home.audit_draw(per_month=20, months=[months[1]])
    assert [row.month for row in one.months] == [months[1]]
    assert one.expected == ()
    assert "one month has levels only" in one.text()
    with pytest.raises(InputError, match="--month '1999-01'.*its months are 2026-01"):
        home.audit_draw(months=["1999-01"])


def test_names_are_letters_digits_and_dashes(work):
    for name in ["", "-x", "a b", "ä", "x" * 61, "../x", "a.b"]:
        with pytest.raises(ConfigError, match="--name .*letters, digits and dashes"):
            work.audit_draw(per_month=20, name=name)


@pytest.mark.slow
@pytest.mark.parametrize(("setting", "message"), [
    ("audit.stratify_by=colour", "sessions have no column 'colour'; they have .*kind"),
    ("audit.stratify_by=kind x colour", "sessions have no column 'colour'"),
])  # fmt: skip
def test_a_column_that_is_not_there(work, setting, message):
    with pytest.raises(ConfigError, match=message):
        Workspace(work.layout.root, overrides=[setting]).audit_draw(per_month=20)


@pytest.mark.slow
def test_without_kinds(work):
    result = Workspace(work.layout.root, overrides=["audit.stratify_by="]).audit_draw(per_month=20, dry_run=True)
    assert result.kind_by == ""
    assert {one.kind for one in result.strata} == {"", None}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "message"), [({"per_month": 3}, "at least 4"), ({"double_share": 1.5}, "from 0 to 1")]
)
def test_numbers_out_of_range(work, asked, message):
    with pytest.raises(ConfigError, match=message):
        work.audit_draw(**asked)


@pytest.mark.slow
def test_what_is_expected_is_said_before_anyone_works(home):
    result = home.audit_draw(per_month=40)
    assert [one.spread for one in result.expected[:3]] == [1.3, 0.9, 0.6]
    assert len(result.expected) == 4 and "held-out" in result.expected[3].why
    card = pd.read_parquet(home.run_folder() / "validation.parquet")
    rows = card.query("pricer == 'matching' and sample == 'natural' and measure == 'root_mean_squared_error'")
    assert result.expected[3].spread == rows.loc[rows["cell_by"] == "", "estimate"].iloc[0]
    values = pd.read_parquet(home.run_folder() / "values.parquet").query("matched")
    audit = open_audit(home.layout)
    whole = 0.0
    for month in audit.months:  # Σ p²/π of the matched: what independent errors add
        rows = audit.frame[(audit.frame["month"] == month) & audit.frame["matched"]]
        assert len(rows) == (values["month"] == month).sum()
        whole += (1 / len(rows) ** 2 / rows["inclusion_probability"]).sum()
    one = result.expected[1]
    assert one.standard_error == pytest.approx(np.sqrt(one.users**2 + 0.9**2 * whole), rel=1e-9)
    assert 1.97 * one.standard_error < one.half_width < 2.3 * one.standard_error  # Student's, with 60 users
    assert all(one.half_needs is None or one.half_needs > 120 for one in result.expected)
    text = result.text()
    assert "expected: 95% interval of audited growth" in text
    assert "errors that a user's sessions share make the interval wider than this" in text.splitlines()
    assert "never a wage" in " ".join(text.split())
    assert max(len(line) for line in text.splitlines()[:-1]) <= 80


@pytest.mark.slow
def test_the_users_part_alone_is_that_of_a_plain_growth(home):
    """Σψ² of the difference of two means, users as clusters, by hand."""
    result = home.audit_draw(per_month=40)
    frame = open_audit(home.layout).frame.query("matched")
    psi: dict[str, float] = {}
    for month, sign in zip(result.months, (-1, 1), strict=True):
        rows = frame[frame["month"] == month.month]
        for user, value in zip(rows["user"], rows["log_value"] - rows["log_value"].mean(), strict=True):
            psi[user] = psi.get(user, 0.0) + sign * value / len(rows)
    n = len(psi)
    by_hand = np.sqrt(sum(one**2 for one in psi.values()) * n / (n - 1))
    assert result.expected[0].users == pytest.approx(by_hand, rel=0.05)  # but for the factor of few users


@pytest.mark.slow
def test_sessions_that_are_gone_are_named(home):
    from valuation.storage import write_sessions

    write_sessions(home.layout, read_sessions(home.layout).iloc[1:])
    with pytest.raises(InputError, match="are not in the workspace any more; make a new run"):
        home.audit_draw()


def _bytes(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
