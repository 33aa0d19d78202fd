"""Debian's Chromium, driven by Playwright: no browser is downloaded, and it asks no other host for anything."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

from .postgres import missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

ARGUMENTS = (
    "--no-sandbox",  # tests may run as root, for whom Chromium refuses its sandbox
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser; without one the test is skipped, and with CI=true it fails."""
    found = shutil.which("chromium")
    if found is None:
        missing("Chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()
