"""The ten steps of docs/add-a-source.md, followed literally in a copy of the checkout: its blocks, its commands."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "add-a-source.md").read_text(encoding="utf-8")
STEPS = dict(enumerate(re.split(r"^## \d+\. .*\n", PAGE, flags=re.MULTILINE)))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COPIED = ("pyproject.toml", "configs", "crawlers", "valuation", "indices", "docs", "tests/cli/test_crawl_pages.py")

TYPES = "mypy --strict -p crawlers.acme"


@dataclass
class Checkout:
    """A copy to work in, and a count of the page's blocks that were used."""

    root: Path
    scratch: Path
    port: int
    used: int = 0

    def block(self, step: int, number: int, language: str) -> str:
        """A block of a step, counted from 0; with this test's folders and port in the place of the page's."""
        found_language, text = BLOCK.findall(STEPS[step])[number]
        assert found_language == language
        self.used += 1
        text = text.replace("/tmp/acme-work", str(self.scratch / "work")).replace(
            "/tmp/acme", str(self.scratch / "site")
        )
        return text.replace("8123", str(self.port))

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euc", command], cwd=self.root, env=self.environment, capture_output=True, text=True, check=False
        )

    def done(self, command: str, status: int = 0) -> str:
        """Output of a command that ends with this status."""
        found = self.run(command)
        assert found.returncode == status, found.stdout + found.stderr
        return found.stdout + found.stderr

    @property
    def environment(self) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("VALUATION_")}
        # no plugin of this project's own tests is needed in it, and finding them takes longer than the page's tests
        return {**kept, "PATH": path, "PYTHONPATH": str(self.root), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

    def edit(self, path: str, pattern: str, text: str) -> None:
        """Put `text` in the place of what matches, which must be there once."""
        file = self.root / path
        new, n = re.subn(pattern, lambda _: text, file.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        assert n == 1, f"{path}: {pattern} matches {n} times"
        file.write_text(new, encoding="utf-8")


@pytest.fixture
def checkout(tmp_path):
    root = tmp_path / "checkout"
    (root / "tests" / "crawlers").mkdir(parents=True)
    for name in COPIED:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "acme"))
        else:
            shutil.copy(ROOT / name, root / name)
    if (ROOT / ".mypy_cache").is_dir():  # of `make check`: without it a minute goes into reading libraries' types
        shutil.copytree(ROOT / ".mypy_cache", root / ".mypy_cache")
    for name, pattern in (("configs/sources.toml", r"^\[acme\]\n((?!\[).*\n)*"), ("docs/crawl.md", r"^\| acme .*\n")):
        text = (root / name).read_text(encoding="utf-8")  # of whoever has followed the page in this very checkout
        (root / name).write_text(re.sub(pattern, "", text, flags=re.MULTILINE), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return Checkout(root, tmp_path, port)


def test_the_page_has_ten_steps():
    assert re.findall(r"^## (\d+)\. ", PAGE, re.MULTILINE) == [str(n) for n in range(1, 11)]


@pytest.mark.slow
def test_the_ten_steps(checkout):
    begin(checkout)
    describe(checkout)
    parse(checkout)
    crawl(checkout)
    turn_on(checkout)
    assert checkout.used == len(BLOCK.findall(PAGE))


def begin(checkout):
    """Steps 1 to 3: a name, settings."""
    said = checkout.done(checkout.block(2, 0, "sh"))
    for path in ("crawlers/acme/parse.py", "crawlers/acme/spider.py", "tests/crawlers/acme/test_acme.py"):
        assert str(checkout.root / path) in said
        assert (checkout.root / path).is_file()
    assert "is off until its terms have been read" in said
    checkout.done(TYPES)
    failed = checkout.done("python -m pytest tests/crawlers/acme", status=1)
    assert "1 failed" in failed
    assert "docs/add-a-source.md, steps 4 to 7" in failed
    assert "acme is off: new: its terms have not been read" in checkout.done(
        f"valuation init {checkout.scratch}/w; valuation -w {checkout.scratch}/w crawl acme", status=2
    )
    written = re.search(r"^\[acme\]\n.*\Z", sources(checkout), re.DOTALL | re.MULTILINE)[0]
    block = checkout.block(3, 0, "toml")
    assert keys(written) == keys(block)
    checkout.edit("configs/sources.toml", r"^\[acme\]\n.*\Z", block)


def describe(checkout):
    """Steps 4 to 6: a page, what it must give, and a test that says that it does not."""
    saved = checkout.block(4, 0, "json")
    json.loads(saved)
    (checkout.root / "tests/crawlers/acme/page.json").write_text(saved, encoding="utf-8")
    checkout.edit("tests/crawlers/acme/test_acme.py", r"^EXPECTED = \[\n.*?^\]\n", checkout.block(5, 0, "python"))
    failed = checkout.done(checkout.block(6, 0, "sh"), status=1)
    assert "FAILED tests/crawlers/acme/test_acme.py::test_values" in failed
    assert "write into EXPECTED what each of its records must give" in failed
    assert "At index 0 diff: ('904', None," in failed


def parse(checkout):
    """Step 7: the parser, and the test passes."""
    (checkout.root / "crawlers/acme/parse.py").write_text(checkout.block(7, 0, "python"), encoding="utf-8")
    assert "passed" in checkout.done(checkout.block(7, 1, "sh"))
    without = (checkout.root / "crawlers/acme/parse.py").read_text(encoding="utf-8").replace(", decimal_comma=True", "")
    (checkout.scratch / "without.py").write_text(without, encoding="utf-8")
    said = checkout.done(
        "python -c \"import runpy; price = runpy.run_path('../without.py')['price_of']; "
        "print(price({'budget': '€ 1.200'}, kind='posted').fault)\""
    )
    assert said == "unclear\n"  # as the page says of job 903


def crawl(checkout):
    """Steps 8 and 9: real requests, a half-read page, a mended parser, the stored answers again."""
    site = checkout.scratch / "site" / "api" / "jobs"
    site.parent.mkdir(parents=True)
    site.write_text(checkout.block(8, 0, "json"), encoding="utf-8")
    server = subprocess.Popen(
        ["bash", "-euc", "exec " + checkout.block(8, 1, "sh")],
        cwd=checkout.root, env=checkout.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(checkout.port)
        said = checkout.done(checkout.block(8, 2, "sh"))
    finally:
        server.kill()
        server.wait()
    assert re.search(r"^acme +2 +2 +0 +0 +0 +1 +good$", said, re.MULTILINE), said
    assert postings(checkout) == ["acme:904"]
    assert re.search(r"/crawl/reports/\w+/report\.html$", said, re.MULTILINE)
    assert "no_price" in checkout.done(checkout.block(9, 0, "sh"))
    below = checkout.done(checkout.block(9, 1, "sh"), status=3)
    assert "prices read: 1 of 2 (50.0%), expected at least 90.0%" in below
    imports, function = checkout.block(9, 2, "python"), checkout.block(9, 3, "python")
    checkout.edit("crawlers/acme/parse.py", r"^from crawlers\.fields [^\n]*\nfrom crawlers\.posting [^\n]*\n", imports)
    checkout.edit("crawlers/acme/parse.py", r"^def price_of\(.*\Z", function)
    again = checkout.block(9, 4, "sh")
    assert re.search(r"^acme +2 +2 +0 +0 +0 +2 +good$", checkout.done(again), re.MULTILINE)
    assert postings(checkout) == ["acme:904", "acme:905"]
    assert "VALUATION_ACME_TOKEN" in STEPS[3]
    inline = re.search(r"`(valuation [^`]* crawl expire [^`]*)`", STEPS[9])[1]
    said = checkout.done(inline.replace("/tmp/acme-work", str(checkout.scratch / "work")))
    assert "nothing is past" in said


def turn_on(checkout):
    """Step 10: settings, documentation, checks."""
    head, acme = sources(checkout).split("[acme]\n")
    for line in checkout.block(10, 0, "toml").splitlines():
        key = line.split(" = ")[0]
        acme, n = re.subn(rf"^{key} = .*$", lambda _, line=line: line, acme, flags=re.MULTILINE)
        assert n == 1
    (checkout.root / "configs/sources.toml").write_text(f"{head}[acme]\n{acme}", encoding="utf-8")
    pages = "python -m pytest tests/crawlers/acme tests/cli/test_crawl_pages.py"
    assert "acme" in checkout.done(pages, status=1)  # the table of sources has no such row yet
    row = checkout.block(10, 1, "markdown")
    last = re.search(r"^\| remoteok \| .*\n", (checkout.root / "docs/crawl.md").read_text(encoding="utf-8"), re.M)[0]
    checkout.edit("docs/crawl.md", re.escape(last), last + row)
    assert "passed" in checkout.done(pages)
    assert checkout.block(10, 2, "sh") == "make check\nmake test\n"
    here = "crawlers/acme tests/crawlers/acme"
    checkout.done(f"ruff check {here} && ruff format --check {here} && {TYPES}")
    said = checkout.done(f"valuation -w {checkout.scratch}/work crawl sources")
    assert re.search(r"^acme +yes +none +unlimited +2 ", said, re.MULTILINE)
    assert "crawl.contact is not set" in checkout.done(f"valuation -w {checkout.scratch}/work crawl acme", status=2)


def keys(block: str) -> list[str]:
    return re.findall(r"^(\w+) = ", block, re.MULTILINE)


def sources(checkout) -> str:
    return (checkout.root / "configs/sources.toml").read_text(encoding="utf-8")


def postings(checkout) -> list[str]:
    import pandas as pd

    return sorted(pd.read_parquet(checkout.scratch / "work" / "postings")["posting_id"])


def wait_for(port: int) -> None:
    for _ in range(300):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the local server did not start")
