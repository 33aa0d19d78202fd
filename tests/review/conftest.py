"""A small workspace with a run and an audit, its pages served in this process, and signed-in clients."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from valuation.review.desk import Desk
from valuation.storage import Layout, read_key
from valuation.tables import AuditSample, read_table
from valuation.verdicts import open_log
from valuation.workspace import Workspace

from ..support.chromium import chromium
from ..support.postgres import own_server
from .browser import Analysts, Served, matches_of, serving
from .site import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser
    from starlette.testclient import TestClient

FORM = re.compile(r'<form class="card (?:whole|gig)[^"]*" method="post" action="/verdicts".*?</form>', re.DOTALL)
FIELD = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


@pytest.fixture(scope="session")
def audited(work: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the small workspace with an audit drawn; copied again by whoever writes to it."""
    root = tmp_path_factory.mktemp("review") / "work"
    shutil.copytree(work.layout.root, root)
    Workspace(root, overrides=["audit.stratify_by=kind"]).audit_draw(per_month=8, name="first", double_share=0.25)
    return root


@pytest.fixture
def home(audited: Path, tmp_path: Path) -> Layout:
    """The workspace, the test's own."""
    root = tmp_path / "work"
    shutil.copytree(audited, root)
    return Workspace(root).layout


@pytest.fixture
def desk(home: Layout) -> Iterator[Desk]:
    log = open_log(f"sqlite:///{home.root / 'review.db'}")
    made = Desk(home, Workspace(home.root).settings, log, key=read_key(home))
    made.run(made.newest()).gigs.build()
    yield made
    made.close()


@pytest.fixture
def sign_in(desk: Desk) -> Iterator[Callable[..., TestClient]]:
    """Make a client that is signed in under a name; no redirects are followed unless asked for."""
    from starlette.testclient import TestClient

    from valuation.review.app import create_app
    from valuation.review.identity import COOKIE

    app = create_app(desk)
    identity = app._app.state.identity
    opened = []

    def client(name: str = "Ada", *, follow_redirects: bool = True) -> TestClient:
        made = TestClient(app, base_url="http://127.0.0.1", follow_redirects=follow_redirects)
        made.cookies.set(COOKIE, identity.cookie(name), domain="127.0.0.1")
        opened.append(made)
        return made

    yield client
    for one in opened:
        one.close()


def forms(page: str) -> list[dict[str, str]]:
    """Hidden fields of each card's form, the session as a whole first."""
    import html

    return [{name: html.unescape(value) for name, value in FIELD.findall(form)} for form in FORM.findall(page)]


def utc() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser, one a module, so that there is one a process at any time."""
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def served(browser: Browser, audited: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The small workspace, a copy of the module's own, behind a running server."""
    root = tmp_path_factory.mktemp("served") / "work"
    shutil.copytree(audited, root)
    with serving(root) as running:
        yield running


@pytest.fixture
def analyst(browser: Browser) -> Iterator[Analysts]:
    """Opens browsers for people; in the end none of their pages may have done what no page may."""
    made = Analysts(browser)
    yield made
    assert made.close() == []


@pytest.fixture
def draw(served: Served) -> Callable[..., list[str]]:
    """Draw an audit of the test's own beside the others, while the server runs.

    Returns its sessions that have at least five gigs, in the order of work.
    """

    def drawn(name: str, *, per_month: int = 6, double: float = 0.0, seed: int = 1) -> list[str]:
        chosen = ["audit.stratify_by=", f"audit.seed={seed}"]
        Workspace(served.root, overrides=chosen).audit_draw(per_month=per_month, name=name, double_share=double)
        sample = read_table(served.root / "audits" / name / "sample.parquet", AuditSample)
        return [one for one in sample["session_id"] if len(matches_of(served, one)) > 4]

    return drawn


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Address of a server of the tests' own; each test makes a database there."""
    with own_server() as url:
        yield url


@pytest.fixture(scope="session")
def site(audited: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The pages of a copy of the small workspace; tests leave no trace that others would mind."""
    root = tmp_path_factory.mktemp("site") / "work"
    shutil.copytree(audited, root)
    made = Site(root)
    yield made
    made.close()


@pytest.fixture
def own_site(audited: Path, tmp_path: Path) -> Iterator[Site]:
    """The pages of a copy of the small workspace, the test's own."""
    root = tmp_path / "site"
    shutil.copytree(audited, root)
    made = Site(root)
    yield made
    made.close()
