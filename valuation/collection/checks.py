"""What must be settled before the first request: the source is on, its terms and token are there, we say who we are."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from valuation.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from valuation.config import Settings, SourceSettings


def checked_sources(settings: Settings, names: Sequence[str]) -> dict[str, str]:
    """Check the sources asked for.

    Returns
    -------
    dict of str to str
        Each source's token, ``''`` where it needs none.

    Raises
    ------
    ConfigError
        A name is unknown, or given twice; a source is off, has no URL, or lacks its token; there is no contact.
    """
    if len(set(names)) < len(names):
        raise ConfigError("a source is named twice; name each once")
    return {name: _checked(settings, name) for name in names}


def _checked(settings: Settings, name: str) -> str:
    source = known_source(settings, name)
    here = f"sources.{name}"
    if not source.base_url:
        raise ConfigError(
            f"{here}.base_url is not set: name the site, such as --set {here}.base_url=https://example.org"
        )
    if not source.enabled:
        raise ConfigError(f"{name} is off: {source.why_off} (terms: {source.terms_url or 'none known'})")
    if not settings.crawl.contact.strip() and not source.loopback:
        raise ConfigError(
            "crawl.contact is not set: a live source must be able to reach who crawls it; set it to an e-mail address "
            "or URL in valuation.toml"
        )
    if not settings.crawl.throttle and not source.loopback:
        raise ConfigError(f"crawl.throttle=false is for servers on this machine; {here}.base_url is {source.base_url}")
    return _token(source, name)


def known_source(settings: Settings, name: str) -> SourceSettings:
    """Settings of a source.

    Raises
    ------
    ConfigError
        There is none of this name.
    """
    if name not in settings.sources:
        raise ConfigError(f"unknown source {name!r}; sources are {', '.join(sorted(settings.sources))}")
    return settings.sources[name]


def _token(source: SourceSettings, name: str) -> str:
    """The source's token from the environment."""
    variable = f"VALUATION_{name.upper()}_TOKEN"
    token = os.environ.get(variable, "").strip() if source.token != "none" else ""
    if source.token == "required" and not token:
        raise ConfigError(f"{name} needs a token: set {variable} in the environment")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError(f"{variable}: expected printable ASCII without spaces")
    return token
