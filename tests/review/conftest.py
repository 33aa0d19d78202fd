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
from valuation.verdicts import open_log
from valuation.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
    made = Desk(home, Workspace(home.root).settings, open_log(f"sqlite:///{home.root / 'review.db'}"), key=read_key(home))
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
