"""What the tests of whole crawls share: a workspace, the command line in a process of its own, tables to compare."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd

from valuation.storage import open_layout, read_postings, read_versions
from valuation.workspace import Workspace

TOKENS = {f"VALUATION_{name}_TOKEN": "good" for name in ("FREELANCEHUNT", "UPWORK", "FREELANCER")}
SEEN = ["crawled_at", "last_seen_at"]  # when an answer came: all that may differ between two crawls of the same pages


def make(root: Path) -> Path:
    key = root.parent / "key"
    key.write_text("a key that both workspaces hash with")
    Workspace.create(root, key_file=key)
    return root


def command(root: Path, url: str, *words: str, sources: list[str], settings: tuple[str, ...] = ()) -> list[str]:
    overrides = ["sources.freelancer.enabled=true", *settings]
    overrides += [f"sources.{name}.base_url={url}" for name in sources]
    flags = [part for override in overrides for part in ("--set", override)]
    return [sys.executable, "-m", "valuation.cli", "crawl", *words, "-w", str(root), "--json", *flags]


def crawl(root: Path, url: str, sources: list[str], *settings: str, status: int = 0, words: tuple[str, ...] = ()):
    """One crawl to its end; the result as printed."""
    line = command(root, url, *(words or sources), sources=sources, settings=settings)
    done = subprocess.run(line, env={**os.environ, **TOKENS}, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == status, f"{done.returncode}: {done.stdout[-2000:]} {done.stderr[-2000:]}"
    return json.loads(done.stdout), done.stderr


def start(root: Path, url: str, sources: list[str], *settings: str) -> subprocess.Popen:
    line = command(root, url, *sources, sources=sources, settings=settings)
    return subprocess.Popen(
        line, env={**os.environ, **TOKENS}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def answers_in(root: Path, source: str) -> int:
    """Answers in a source's store so far."""
    path = root / "crawl" / source / "store.db"
    if not path.exists():
        return 0
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        try:
            return db.execute("SELECT count(*) FROM responses").fetchone()[0]
        except sqlite3.OperationalError:  # not laid out yet
            return 0


def wait_for_answers(root: Path, source: str, n: int, process: subprocess.Popen) -> None:
    """Until a source's store holds `n` answers more; a crawl that ends before fails the test."""
    before = answers_in(root, source)
    for _ in range(1200):
        if answers_in(root, source) >= before + n:
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    raise AssertionError(f"{source}: no {n} answers in a minute")


def tables(root: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    layout = open_layout(root)
    return read_postings(layout).drop(columns=SEEN[:1]), read_versions(layout).drop(columns=SEEN)


def assert_same_tables(one: Path, other: Path) -> None:
    for left, right in zip(tables(one), tables(other), strict=True):
        pd.testing.assert_frame_equal(left, right)
