"""What the pages need travels with the package: templates, scripts, styles, migrations."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDED = {
    "valuation.review": (
        "templates/*.j2",
        "static/*.js",
        "static/*.css",
        "static/*.svg",
        "static/*.txt",
        "offline_page/*",
    ),
    "valuation.verdicts": ("migrations/env.py", "migrations/versions/*.py"),
}


def test_every_file_is_found_as_a_packages_own():
    for package, patterns in NEEDED.items():
        folder = Path(str(files(package)))
        for pattern in patterns:
            found = sorted(folder.glob(pattern))
            assert found, (package, pattern)
            assert all(one.read_bytes() for one in found)


def test_the_wheel_takes_whole_packages_and_leaves_no_needed_file_out():
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    wheel = build["targets"]["wheel"]
    assert "valuation" in wheel["packages"]
    assert not ({"exclude", "include", "only-include", "artifacts", "sources"} & (set(wheel) | set(build)))
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    needed = [
        str(one)
        for package, patterns in NEEDED.items()
        for pattern in patterns
        for one in Path(str(files(package))).glob(pattern)
    ]
    ignored = subprocess.run(["git", "check-ignore", *needed], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ignored.stdout == ""  # hatchling leaves out what git ignores


def test_every_template_that_is_named_is_there_and_compiles():
    from valuation.review.pages import STATIC, _environment

    environment = _environment()
    names = set(environment.list_templates())
    named = set()
    for path in (ROOT / "valuation/review").rglob("*"):
        if path.suffix in (".py", ".j2"):
            named |= set(re.findall(r'"([\w-]+\.html\.j2)"', path.read_text()))
    assert named == names
    for name in names:
        environment.get_template(name)
        source = (ROOT / "valuation/review/templates" / name).read_text()
        assert "|safe" not in source.replace(" ", "") and "autoescape" not in source and "<style" not in source
        assert not re.search(r"\son\w+\s*=|javascript:|https?://", source), name
    base = (ROOT / "valuation/review/templates/base.html.j2").read_text()

    assert {f"/static/{name}" for name in STATIC} <= {
        one.partition("?")[0] for one in re.findall(r'(?:src|href)="([^"]+)"', base)
    }
    assert environment.autoescape is True


@pytest.mark.slow
def test_migrations_run_from_the_package_wherever_one_stands(tmp_path):
    code = "from valuation.verdicts import open_log; log = open_log('sqlite:///review.db'); print(log.last_id())"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert (found.returncode, found.stdout) == (0, "0\n"), found.stderr
    assert (tmp_path / "review.db").exists()
