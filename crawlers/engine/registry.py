"""From a name to a spider: ``crawlers/<name>/spider.py`` holds one subclass of `SourceSpider` with that name."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from valuation.errors import ConfigError

if TYPE_CHECKING:
    from crawlers.spider import SourceSpider


def spider_class(name: str) -> type[SourceSpider]:
    """Return the spider of a package under ``crawlers``.

    Raises
    ------
    ConfigError
        There is no such package, or no such spider in it.
    """
    from crawlers.spider import SourceSpider

    try:
        module = importlib.import_module(f"crawlers.{name}.spider")
    except ModuleNotFoundError as error:
        if error.name not in (f"crawlers.{name}", f"crawlers.{name}.spider"):
            raise
        raise ConfigError(
            f"no spider {name!r}: expected a module crawlers/{name}/spider.py; see docs/add-a-source.md"
        ) from None
    for found in vars(module).values():
        if isinstance(found, type) and issubclass(found, SourceSpider) and found.__dict__.get("name") == name:
            return found
    raise ConfigError(f"crawlers/{name}/spider.py: expected a subclass of SourceSpider with name = {name!r}")
