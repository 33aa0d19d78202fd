"""Eight analysts at once on a real server: nothing is lost, nothing is there twice, also when it is killed."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from valuation.tables import AuditSample, read_table
from valuation.verdicts import VERDICTS, open_log
from valuation.workspace import Workspace

from ..support.postgres import new_database
from .conftest import forms as forms_of
from .crowd import Sender, Server, at_once, send_all

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.slow
CROWD = [f"Analyst {number}" for number in range(8)]


@pytest.fixture(scope="module")
def home(audited: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("crowd") / "work"
    shutil.copytree(audited, root)
    return root


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'review.db'}"
    return new_database(request.getfixturevalue("postgresql"))


@pytest.fixture
def server(home: Path, database: str):
    made = Server(home, f"review.database={database}")
    made.start()
    yield made
    made.stop()


def forms_on(root: Path, each: int) -> Callable[[str], list[dict[str, str]]]:
    """Forms of an analyst: on gigs that stand beside sessions which no audit hides, each with a note of its own."""
    work = Workspace(root)
    run_id = (root / "runs" / "latest").read_text().strip()
    hidden = set(read_table(work.layout.audits / "first" / "sample.parquet", AuditSample)["session_id"])
    table = pd.read_parquet(root / "runs" / run_id / "matches.parquet", columns=["session_id", "posting_id"])
    pairs = table[~table["session_id"].isin(hidden)].head(each).itertuples(index=False)
    things = [(one.session_id, one.posting_id) for one in pairs]

    def forms(name: str) -> list[dict[str, str]]:
        return [
            {
                "nonce": f"{name}-{number}", "run": run_id, "session": session, "gig": posting, "audit": "",
                "verdict": VERDICTS[(number + len(name)) % 5], "note": f"{name} on {number}",
            }
            for number, (session, posting) in enumerate(things)
        ]  # fmt: skip

    return forms


def kept(database: str) -> pd.DataFrame:
    log = open_log(database)
    lines = log.lines()
    log.close()
    return lines


def test_every_acknowledged_verdict_survives_a_kill_and_none_is_there_twice(home, server, database):
    """1,600 verdicts by 8 analysts (SQLite), the server killed in their midst, and what got no answer sent again."""
    each = 200 if database.startswith("sqlite") else 60
    made = forms_on(home, each)
    forms = {name: made(name) for name in CROWD}
    acknowledged, n_cut = send_all(
        at_once(lambda name: Sender(server, name), CROWD), forms, kill_after=4 * each, server=server
    )
    assert 4 * each <= len(acknowledged) < 8 * each and 0 < n_cut <= 8
    before = kept(database)
    notes = {form["nonce"]: form["note"] for some in forms.values() for form in some}
    told = {notes[nonce] for nonce in acknowledged}
    assert told <= set(before["note"])
    assert len(before) <= len(told) + n_cut and not before["note"].duplicated().any()

    said = server.start()
    assert said["verdicts"] == database
    left = {name: [form for form in some if form["nonce"] not in acknowledged] for name, some in forms.items()}
    assert all(at_once(lambda sender: all(map(sender.send, left[sender.name])), [Sender(server, one) for one in CROWD]))

    lines = kept(database)
    assert len(lines) == 8 * each
    assert set(lines["note"]) == set(notes.values())
    assert Counter(lines["analyst"]) == dict.fromkeys(CROWD, each)
    assert lines["id"].is_monotonic_increasing and lines["token"].is_unique
    expected = {
        form["note"]: (form["session"], form["gig"], form["verdict"]) for some in forms.values() for form in some
    }
    found = zip(lines["session_id"], lines["posting_id"], lines["verdict"], strict=True)
    assert dict(zip(lines["note"], found, strict=True)) == expected
    times = lines.groupby("analyst")["decided_at"]
    assert all(group.is_monotonic_increasing for _, group in times)


def test_eight_analysts_share_an_audit_without_two_on_one_item(home, server, database):
    """Each goes on until nothing is left; the sessions that two are wanted for get two, by different people."""
    from valuation.audit.opening import open_audit

    wanted = open_audit(Workspace(home).layout, "first").wanted

    def work(name: str) -> list[str]:
        sender, judged = Sender(server, name), []
        for number in range(len(wanted) + 1):
            page = sender.client.get("/audits/first/next", follow_redirects=True)
            if page.url.path == "/audits/first":
                assert "is left" in page.text
                return judged
            form = forms_of(page.text)[0]
            assert (form["gig"], form["session"]) == ("session", page.url.params["id"])
            assert sender.send(form | {"verdict": VERDICTS[number % 5], "price": "120.50"})
            judged.append(form["session"])
        raise AssertionError(f"{name} was given more sessions than there are")

    told = Counter(session for judged in at_once(work, CROWD) for session in judged)
    assert told == wanted
    lines = kept(database)
    assert Counter(lines["session_id"]) == wanted
    assert not lines.duplicated(["session_id", "analyst"]).any()
    assert lines["blind"].all() and set(lines["price_usd"]) == {120.5} and set(lines["posting_id"]) == {""}
