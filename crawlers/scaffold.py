"""``valuation crawl new NAME``: the files of a new source, a failing test among them, and its block of settings.

The templates under ``crawlers/templates`` are a source called acme; its name is replaced.
"""

from __future__ import annotations

import contextlib
import keyword
import os
import re
import sys
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from valuation.config.sources import SOURCE_NAME
from valuation.errors import ConfigError, EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Iterator

VERBS = ("collect", "expire", "new", "reparse", "sources")  # `valuation crawl VERB` would never reach such a source
FOLDERS = ("reports",)  # of a workspace's crawl/, where each source has one of its own
SOURCES = "configs/sources.toml"
_TEMPLATES = {
    "crawlers/acme/__init__.py": "init.txt",
    "crawlers/acme/parse.py": "parse.txt",
    "crawlers/acme/spider.py": "spider.txt",
    "tests/crawlers/acme/page.json": "page.json",
    "tests/crawlers/acme/test_acme.py": "test.txt",
}
_IMPORTS = re.compile(r"(?:^from crawlers\.\S+ import .*\n)+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class NewSource:
    """What was written for a new source.

    Attributes
    ----------
    name : str
    files : tuple of Path
        New ones in the order to read them; last ``configs/sources.toml``, which has a new block.
    next_step : str
    """

    name: str
    files: tuple[Path, ...]
    next_step: str


def new_source(name: str, root: Path | None = None) -> NewSource:
    """Write the files of a new source into a checkout: all of them, or nothing.

    Parameters
    ----------
    name : str
        Of the source and of its package: lower-case letters and digits.
    root : Path, optional
        The checkout. None: the one that this module lies in.

    Raises
    ------
    ConfigError
        This is no checkout, or the name is malformed or taken. Nothing is ever overwritten.
    EnvironmentFault
        A file cannot be written; those written before it are removed again.
    """
    root = root if root is not None else Path(__file__).resolve().parent.parent
    _check_checkout(root)
    _check_form(name)
    settings = _settings(root)
    _check_free(name, root, settings)
    files = {root / _named(path, name): _render(name, template) for path, template in _TEMPLATES.items()}
    try:
        with _undone_on_failure() as made:
            for path, content in files.items():
                _write_new(path, content, made)
            _replace(root / SOURCES, settings + _render(name, "block.txt"), made)
    except OSError as error:
        raise EnvironmentFault(
            f"{error.filename}: {error.strerror}; nothing was written, mend that and run the command again"
        ) from error
    return NewSource(
        name,
        (*files, root / SOURCES),
        f"{name} is off until its terms have been read. Follow docs/add-a-source.md; the test that fails now says what "
        f"to do first: python -m pytest tests/crawlers/{name}",
    )


def _check_checkout(root: Path) -> None:
    sources, tests = root / SOURCES, root / "tests" / "crawlers"
    if not ((root / "pyproject.toml").is_file() and sources.is_file() and tests.is_dir()):
        raise ConfigError(
            f"{root} is no checkout of this project: expected pyproject.toml, {SOURCES} and tests/crawlers in it; "
            "clone the repository and install it with make setup, then run the command there"
        )
    if not os.access(sources, os.W_OK):
        raise ConfigError(f"{sources} cannot be written; a new source needs a checkout of your own")


def _check_form(name: str) -> None:
    if not re.fullmatch(SOURCE_NAME, name):
        raise ConfigError(
            f"source name {name[:60]!r}: expected 2 to 32 lower-case letters and digits, a letter first, such as acme"
        )
    if keyword.iskeyword(name) or name in sys.stdlib_module_names:
        raise ConfigError(f"source name {name!r}: Python has that name; choose another, such as {name}jobs")
    if name in VERBS or name in FOLDERS:
        raise ConfigError(f"source name {name!r}: valuation crawl uses that word; choose another, such as {name}jobs")


def _settings(root: Path) -> str:
    """Text of ``sources.toml``, ending with a line break."""
    path = root / SOURCES
    try:
        found = path.read_text(encoding="utf-8")
        tomllib.loads(found)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}; mend it first") from error
    return found if found.endswith("\n") else found + "\n"


def _check_free(name: str, root: Path, settings: str) -> None:
    """Refuse a name that a source, a module or a test has: nothing is overwritten, nothing is shadowed."""
    if name in tomllib.loads(settings):
        raise ConfigError(f"source name {name!r}: {SOURCES} has a block of that name; choose another")
    modules = {path.stem for path in (root / "crawlers").iterdir()}
    if name in modules:
        raise ConfigError(f"source name {name!r}: crawlers has a module of that name; choose another")
    clash = next((root / "tests").rglob(f"test_{name}.py"), None)
    if clash is not None or os.path.lexists(root / "tests" / "crawlers" / name):
        where = clash.relative_to(root) if clash is not None else f"tests/crawlers/{name}"
        raise ConfigError(f"source name {name!r}: there is {where} already; choose another")


def _named(text: str, name: str) -> str:
    return text.replace("acme", name).replace("Acme", name.capitalize())


def _render(name: str, template: str) -> str:
    """Template for a name; its imports are put in order again, since the name has changed their place."""
    found = resources.files("crawlers").joinpath("templates", template).read_text(encoding="utf-8")
    return _IMPORTS.sub(_in_order, _named(found, name))


def _in_order(block: re.Match[str]) -> str:
    return "".join(sorted(block[0].splitlines(keepends=True), key=lambda line: line.split()[1]))


@contextlib.contextmanager
def _undone_on_failure() -> Iterator[list[Path]]:
    """Collect the paths made inside, and remove them, the last first, if something goes wrong."""
    made: list[Path] = []
    try:
        yield made
    except BaseException:
        for path in reversed(made):
            with contextlib.suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        raise


def _write_new(path: Path, content: str, made: list[Path]) -> None:
    """Write a file that is not there yet, and its folder."""
    if not path.parent.exists():
        path.parent.mkdir()
        made.append(path.parent)
    with path.open("x", encoding="utf-8", newline="\n") as file:
        made.append(path)
        file.write(content)


def _replace(path: Path, content: str, made: list[Path]) -> None:
    """Put a new text in a file's place, in one step."""
    fresh = path.with_suffix(".new")
    _write_new(fresh, content, made)
    fresh.chmod(path.stat().st_mode)
    fresh.replace(path)
