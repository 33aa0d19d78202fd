"""Settings: TOML files, frozen models, a bound on every field.

Order of precedence: ``configs/default.toml`` and ``configs/sources.toml``, the workspace's ``valuation.toml``, then
``--set section.key=value``. No model has a default of its own: what a setting is unless told otherwise stands in
``configs/`` alone.
"""

from valuation.config.base import Section
from valuation.config.reading import configs_dir, load, read_toml
from valuation.config.sections import Crawl, Settings
from valuation.config.sources import SourceSettings

__all__ = ["Crawl", "Section", "Settings", "SourceSettings", "configs_dir", "load", "read_toml"]
