"""Reading settings: files and overrides laid over each other, every fault named."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from valuation.config.sections import Settings
from valuation.config.sources import SOURCE_NAME, is_loopback
from valuation.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def configs_dir() -> Path:
    """Folder of the shipped ``default.toml`` and ``maps/``: in the wheel, or beside the packages in a checkout."""
    package = Path(__file__).parent.parent
    shipped = package / "_configs"
    return shipped if shipped.is_dir() else package.parent / "configs"


def read_toml(path: Path) -> dict[str, Any]:
    """Parse a TOML file; a missing or malformed file is a `ConfigError` that names it."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error


def load(workspace_file: Path | None = None, overrides: Sequence[str] = ()) -> Settings:
    """Read the settings: defaults, then the workspace's file, then ``section.key=value`` overrides.

    Raises
    ------
    ConfigError
        An unknown key or a value out of range, by name, with what was expected.
    """
    merged = read_toml(configs_dir() / "default.toml") | {"sources": read_toml(configs_dir() / "sources.toml")}
    stated: set[tuple[str, str]] = set()
    if workspace_file is not None and workspace_file.exists():
        own = read_toml(workspace_file)
        stated |= _stated(own)
        _merge(merged, own, origin=str(workspace_file))
    for override in overrides:
        new = _parse_override(override, merged)
        stated |= _stated(new)
        _merge(merged, new, origin=f"--set {override}")
    _free_on_loopback(merged["sources"], stated)
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        raise ConfigError(_explain(error)) from error


def _stated(new: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Sources' keys that the user wrote, as (source, key)."""
    blocks = new.get("sources", {})
    items = blocks.items() if isinstance(blocks, dict) else ()
    return {(name, key) for name, block in items if isinstance(block, dict) for key in block}


def _free_on_loopback(sources: dict[str, Any], stated: set[tuple[str, str]]) -> None:
    """Lift the shipped rate limits, which are the live host's, where the user put a local server in its place."""
    for name, block in sources.items():
        if is_loopback(str(block.get("base_url", ""))):
            for key in ("requests_per_minute", "requests_per_day"):
                if (name, key) not in stated:
                    block[key] = 0


def _merge(into: dict[str, Any], new: Mapping[str, Any], *, origin: str) -> None:
    """Lay `new` over `into`, refusing sections and keys that `into` does not know."""
    for section, keys in new.items():
        if section not in into:
            raise ConfigError(f"{origin}: unknown section [{section}]; sections are {', '.join(sorted(into))}")
        if not isinstance(keys, dict):
            raise ConfigError(f"{origin}: {section} is a section: write {section}.KEY = VALUE")
        if section == "sources":
            _merge_sources(into[section], keys, origin=origin)
            continue
        for key, value in keys.items():
            if key not in into[section]:
                raise ConfigError(
                    f"{origin}: unknown setting {section}.{key}; settings are {', '.join(sorted(into[section]))}"
                )
            into[section][key] = value


def _merge_sources(into: dict[str, Any], new: Mapping[str, Any], *, origin: str) -> None:
    """Lay blocks over sources; a block of another name needs ``spider``, whose own block it starts from."""
    for name, block in new.items():
        if not isinstance(block, dict):
            raise ConfigError(f"{origin}: sources.{name} is a section: write sources.{name}.KEY = VALUE")
        if name not in into:
            if not re.fullmatch(SOURCE_NAME, name):  # it becomes a folder, a column and part of a variable's name
                raise ConfigError(f"{origin}: source {name!a}: expected 2 to 32 lower-case letters and digits")
            if str(block.get("spider")) not in into:
                raise ConfigError(
                    f"{origin}: unknown source {name}; sources are {', '.join(sorted(into))} (a source of your own "
                    'needs a spider, such as spider = "jobposting" for another site)'
                )
            into[name] = dict(into[block["spider"]])
        for key, value in block.items():
            if key not in into[name]:
                known = ", ".join(sorted(into[name]))
                raise ConfigError(f"{origin}: unknown setting sources.{name}.{key}; settings are {known}")
            into[name][key] = value


def _parse_override(text: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """``section.key=value`` as nested data: the value is TOML where the setting is not a string."""
    name, equals, value = text.partition("=")
    section, dot, key = name.strip().partition(".")
    if not equals or not dot or not key:
        raise ConfigError(f"--set {text}: expected section.key=value, such as matching.k=25")
    if section == "sources":
        source, dot, key = key.partition(".")
        if not dot or not key:
            raise ConfigError(f"--set {text}: expected sources.NAME.key=value, such as sources.github.min_items=5")
        current = known["sources"].get(source, {}).get(key, "")
        return {section: {source: {key: _parse_value(value.strip(), current)}}}
    current = known.get(section, {}).get(key) if isinstance(known.get(section), dict) else None
    return {section: {key: _parse_value(value.strip(), current)}}


def _parse_value(value: str, current: object) -> object:
    """Read an override by the type of what it replaces; a list may be given as ``a,b``."""
    if isinstance(current, list) and not value.startswith("["):
        parts = [part.strip() for part in value.split(",") if part.strip()]
        return [_parse_value(part, current[0] if current else "") for part in parts]
    try:
        parsed: object = tomllib.loads(f"v = {value}")["v"]
    except tomllib.TOMLDecodeError:
        return value
    return value if isinstance(current, str) and not isinstance(parsed, (str, float, int)) else parsed


def _explain(error: ValidationError) -> str:
    """One line a fault: the setting, the value, what was expected."""
    lines = []
    for fault in error.errors():
        name = ".".join(
            str(part) for part in fault["loc"] if part not in ("float", "literal['auto']", "constrained-float")
        )
        shown = repr(fault["input"])[:80]
        lines.append(f"{name}: {fault['msg']}, got {shown}")
    return "settings: " + "; ".join(lines)
