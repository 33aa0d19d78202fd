"""`valuation crawl new`: the files of a new source, all of them or none, in a checkout and nowhere else."""

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawlers import scaffold
from crawlers.scaffold import NewSource, new_source
from valuation.cli.crawling import crawling
from valuation.config import SourceSettings
from valuation.errors import ConfigError, EnvironmentFault

ROOT = Path(__file__).parents[2]
LONGEST = "a" + "b" * 31
WRITTEN = [
    "crawlers/{0}/__init__.py", "crawlers/{0}/parse.py", "crawlers/{0}/spider.py",
    "tests/crawlers/{0}/page.json", "tests/crawlers/{0}/test_{0}.py",
]  # fmt: skip


def make_checkout(root):
    """The names of the real one, empty, and its settings."""
    packages = [path.parent for name in ("crawlers", "valuation") for path in (ROOT / name).glob("**/__init__.py")]
    packages = [folder for folder in packages if folder.name != "acme"]  # of whoever follows docs/add-a-source.md here
    for folder in [*packages, ROOT / "crawlers" / "templates"]:
        (root / folder.relative_to(ROOT)).mkdir(parents=True, exist_ok=True)
    for path in [*(ROOT / "crawlers").glob("*.py"), *(folder / "__init__.py" for folder in packages)]:
        (root / path.relative_to(ROOT)).write_text("")
    (root / "crawlers" / "oneoff.py").write_text("")
    (root / "tests" / "crawlers").mkdir(parents=True)
    (root / "tests" / "valuation").mkdir()
    (root / "tests" / "valuation" / "test_rates.py").write_text("")
    (root / "configs").mkdir()
    text = (ROOT / "configs" / "sources.toml").read_text(encoding="utf-8")
    text = re.sub(r"\n\[acme\]\n((?!\[).*\n)*", "", text)
    (root / "configs" / "sources.toml").write_text(text, encoding="utf-8")
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


@pytest.fixture
def checkout(tmp_path):
    return make_checkout(tmp_path)


def contents(root):
    return {str(path.relative_to(root)): path.read_bytes() if path.is_file() else None for path in root.rglob("*")}


def test_writes_its_files_and_no_others(checkout):
    before = contents(checkout)
    made = new_source("acme", checkout)
    after = contents(checkout)
    named = [path.format("acme") for path in WRITTEN]
    assert made.name == "acme"
    assert made.files == tuple(checkout / path for path in [*named, "configs/sources.toml"])
    assert set(after) - set(before) == {*named, "crawlers/acme", "tests/crawlers/acme"}
    assert {path for path in before if before[path] != after[path]} == {"configs/sources.toml"}
    assert "python -m pytest tests/crawlers/acme" in made.next_step
    assert "docs/add-a-source.md" in made.next_step
    assert isinstance(made, NewSource)


def test_the_block_of_settings(checkout):
    path = checkout / "configs" / "sources.toml"
    before = path.read_text(encoding="utf-8")
    new_source("acme", checkout)
    after = path.read_text(encoding="utf-8")
    assert after.startswith(before + "\n[acme]\n")
    blocks = tomllib.loads(after)
    assert list(blocks)[-1] == "acme"
    assert list(blocks["acme"]) == list(blocks["remoteok"]) == list(SourceSettings.model_fields)
    source = SourceSettings.model_validate(blocks["acme"])
    assert (source.spider, source.enabled, source.base_url) == ("acme", False, "https://example.org")
    assert source.why_off.startswith("new: ")
    assert source.retention_hours == 24  # until somebody has read that more is allowed


def test_settings_without_a_last_line_break(checkout):
    path = checkout / "configs" / "sources.toml"
    before = path.read_text(encoding="utf-8").rstrip("\n")
    path.write_text(before, encoding="utf-8")
    new_source("acme", checkout)
    assert path.read_text(encoding="utf-8").startswith(before + "\n\n[acme]\n")


def test_settings_keep_their_mode(checkout):
    path = checkout / "configs" / "sources.toml"
    path.chmod(0o640)
    new_source("acme", checkout)
    assert path.stat().st_mode & 0o777 == 0o640


def test_two_sources_one_after_the_other(checkout):
    new_source("acme", checkout)
    new_source("acmetwo", checkout)
    assert list(tomllib.loads((checkout / "configs" / "sources.toml").read_text()))[-2:] == ["acme", "acmetwo"]
    spider = (checkout / "crawlers" / "acmetwo" / "spider.py").read_text()
    assert "acme" not in spider.lower().replace("acmetwo", "")
    assert 'class AcmetwoSpider(SourceSpider):\n    """Jobs of acmetwo."""\n\n    name = "acmetwo"\n' in spider


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Acme", "source name 'Acme': expected 2 to 32 lower-case letters and digits, a letter first"),
        ("", "source name '': expected 2 to 32"),
        ("a", "expected 2 to 32"),
        ("a" * 33, "expected 2 to 32"),
        ("9acme", "a letter first"),
        ("a-b", "lower-case letters and digits"),
        ("a_b", "lower-case letters and digits"),
        ("../up", "lower-case letters and digits"),
        ("acme\n", "lower-case letters and digits"),
        ("äcme", "lower-case letters and digits"),
        ("class", "Python has that name; choose another, such as classjobs"),
        ("import", "Python has that name"),
        ("json", "Python has that name"),
        ("random", "Python has that name"),
        *((name, "valuation crawl uses that word") for name in ("collect", "reparse", "new", "sources", "expire")),
        ("reports", "valuation crawl uses that word"),
        ("github", r"configs/sources\.toml has a block of that name"),
        ("remoteok", r"configs/sources\.toml has a block of that name"),
        *((name, "crawlers has a module of that name") for name in ("engine", "store", "replay", "money", "templates")),
        ("oneoff", "crawlers has a module of that name"),
        ("rates", r"there is tests/valuation/test_rates\.py already"),
    ],
)
def test_names_that_are_refused(checkout, name, message):
    before = contents(checkout)
    with pytest.raises(ConfigError, match=message):
        new_source(name, checkout)
    assert contents(checkout) == before


def test_verbs_are_the_commands_of_the_group():
    assert sorted(scaffold.VERBS) == sorted(command.name for command in crawling.registered_commands)


@pytest.mark.parametrize("there", WRITTEN)
def test_nothing_is_overwritten(checkout, there):
    path = checkout / there.format("acme")
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    before = contents(checkout)
    with pytest.raises(ConfigError, match="source name 'acme': .*; choose another"):
        new_source("acme", checkout)
    assert contents(checkout) == before


def test_what_appears_meanwhile_is_not_overwritten_either(checkout, monkeypatch):
    monkeypatch.setattr(scaffold, "_check_free", lambda *arguments: None)
    path = checkout / "tests" / "crawlers" / "acme" / "test_acme.py"
    path.parent.mkdir()
    path.write_text("mine")
    before = contents(checkout)
    with pytest.raises(EnvironmentFault, match=r"test_acme\.py: File exists; nothing was written"):
        new_source("acme", checkout)
    assert contents(checkout) == before


def test_a_dangling_link_is_in_the_way(checkout):
    (checkout / "tests" / "crawlers" / "acme").symlink_to(checkout / "nowhere")
    with pytest.raises(ConfigError, match="there is tests/crawlers/acme already"):
        new_source("acme", checkout)


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device", "disk"), KeyboardInterrupt()])
@pytest.mark.parametrize("after", range(6))
def test_all_or_nothing(checkout, monkeypatch, after, fault):
    before, written, real = contents(checkout), [], scaffold._write_new

    def failing(path, content, made):
        real(path, content if len(written) < after else content[:5], made)
        if len(written) == after:
            raise fault
        written.append(path)

    monkeypatch.setattr(scaffold, "_write_new", failing)
    expected = EnvironmentFault if isinstance(fault, OSError) else KeyboardInterrupt
    with pytest.raises(expected) as caught:
        new_source("acme", checkout)
    assert contents(checkout) == before
    if expected is EnvironmentFault:
        assert str(caught.value).startswith("disk: No space left on device; nothing was written")


@pytest.mark.parametrize("missing", ["pyproject.toml", "configs/sources.toml", "tests/crawlers"])
def test_elsewhere_it_does_not_work(checkout, missing):
    path = checkout / missing
    path.rmdir() if path.is_dir() else path.unlink()
    with pytest.raises(ConfigError, match=f"{checkout} is no checkout of this project: expected pyproject.toml, "):
        new_source("acme", checkout)


def test_settings_that_cannot_be_written(checkout, monkeypatch):
    monkeypatch.setattr(scaffold.os, "access", lambda path, mode: False)
    with pytest.raises(ConfigError, match=r"sources\.toml cannot be written; a new source needs a checkout"):
        new_source("acme", checkout)


def test_settings_that_are_broken(checkout):
    (checkout / "configs" / "sources.toml").write_text("[acme\n")
    with pytest.raises(ConfigError, match=r"sources\.toml: not valid TOML: .*; mend it first"):
        new_source("acme", checkout)


def test_the_checkout_is_found_from_the_package(tmp_path, monkeypatch):
    (tmp_path / "crawlers").mkdir()
    monkeypatch.setattr(scaffold, "__file__", str(tmp_path / "crawlers" / "scaffold.py"))
    with pytest.raises(ConfigError, match=f"{tmp_path} is no checkout"):
        new_source("acme")
    monkeypatch.undo()
    with pytest.raises(ConfigError, match="has a block of that name"):
        new_source("github")


def test_the_page_is_json_and_what_the_spider_reads(checkout):
    new_source("acme", checkout)
    page = json.loads((checkout / "tests/crawlers/acme/page.json").read_text())
    assert page["pages"] == 1
    assert [job["id"] for job in page["jobs"]] == [102, 101]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.from_regex(r"[a-z][a-z0-9]{1,31}", fullmatch=True))
def test_any_name_gives_whole_modules(name):
    for path, template in scaffold._TEMPLATES.items():
        content = scaffold._render(name, template)
        assert "acme" not in content.lower() or "acme" in name
        assert max(len(line) for line in content.splitlines()) <= 120
        if path.endswith(".py"):
            ast.parse(content)
            imports = re.findall(r"^from (crawlers\.\S+) import", content, re.MULTILINE)
            assert imports == sorted(imports)
    (block,) = tomllib.loads(scaffold._render(name, "block.txt"))
    assert block == name


@pytest.mark.parametrize("name", ["aa", "acme", "fieldsx", "zz9", LONGEST])
def test_passes_the_style_checks_as_it_is(checkout, name):
    made = new_source(name, checkout)
    files = [str(path) for path in made.files if path.suffix == ".py"]
    for command in (["check"], ["format", "--check", "--diff"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", *files],
            cwd=checkout, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_command(checkout, monkeypatch, capsys):
    from valuation.cli.main import main

    monkeypatch.setattr(scaffold, "__file__", str(checkout / "crawlers" / "scaffold.py"))
    assert main(["crawl", "new", "acme", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["name"] == "acme"
    assert said["files"][-1] == str(checkout / "configs" / "sources.toml")
    assert main(["crawl", "new", "acme"]) == 2
    assert capsys.readouterr().err.startswith("error: source name 'acme': configs/sources.toml has a block")
