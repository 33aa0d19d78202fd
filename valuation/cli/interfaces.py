"""``docs/interfaces.md``, made from the code: ``python -m valuation.cli.interfaces > docs/interfaces.md``.

A test compares the page with what this module makes, so no flag, key, file, column or setting changes unseen.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from valuation.cli.interfaces_named import EXPLAINED, NESTED, RESULTS, TABLES
from valuation.cli.options import EVERYWHERE
from valuation.cli.verbs import app

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from valuation.tables import Table

HEAD = """# Interfaces

Every command's options, exit statuses, JSON keys, files, columns and settings. Made from the code by
`python -m valuation.cli.interfaces > docs/interfaces.md`; a test compares.

## Exit statuses

{statuses}
Errors are one line on standard error, `error: …`, with control characters shown as escapes. With `--json` standard
output holds exactly one JSON object on one line, on failure too: `error`, `kind` (InputError, EnvironmentFault,
ThinMatchError, BelowExpectation, ConfigError, UsageError, Interrupted, InternalError) and `exit_status`. A crawl that
is interrupted, or below expectation, prints its result instead; the exit status tells. Numbers that are missing or
not finite are `null`; times are ISO 8601 in UTC.
"""


def page() -> str:
    """Return the whole page."""
    parts = [HEAD.format(statuses=_statuses()), "## Options of every command\n", _everywhere()]
    parts += ["## Commands\n", *_commands(), "### Lists in JSON\n", _nested()]
    parts += ["## Files of a workspace\n", _files(), "## Tables\n", *_tables(), "## Settings\n", _settings()]
    return "\n".join(parts)


def _markdown(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headers, ["---"] * len(headers), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _statuses() -> str:
    """Return the table in the docstring of `valuation.cli.faults`."""
    lines = (importlib.import_module("valuation.cli.faults").__doc__ or "").splitlines()
    rows = [re.split(r"\s{2,}", line.strip(), maxsplit=1) for line in lines if re.match(r"\d", line)]
    return _markdown(("status", "means"), rows)


def leaves() -> Iterator[tuple[str, Any, typer.Context]]:
    """Each command that does something, with its full name and a context to ask for help in."""
    root = typer.main.get_command(app)
    top = typer.Context(root, info_name="valuation")
    yield from _below(root, "", top)


def _below(group: Any, prefix: str, context: typer.Context) -> Iterator[tuple[str, Any, typer.Context]]:  # noqa: ANN401
    for name, command in group.commands.items():
        inner = typer.Context(command, info_name=name, parent=context)
        if hasattr(command, "commands"):
            yield from _below(command, f"{prefix}{name} ", inner)
        else:
            yield f"{prefix}{name}", command, inner


def _commands() -> Iterator[str]:
    for name, command, context in leaves():
        usage = " ".join(command.collect_usage_pieces(context)).translate({ord("{"): None, ord("}"): None})
        own = [parameter for parameter in command.params if parameter.name not in EVERYWHERE]
        options = f"\n{_options(own, context)}" if own else ""
        about = inspect.cleandoc(command.help or "")
        keys = ", ".join(f"`{key}`" for key in ("command", *json_keys(name)))
        yield f"### valuation {name}\n\n`valuation {name} {usage}`\n\n{about}\n{options}\nJSON: {keys}.\n"


def _options(parameters: Sequence[Any], context: typer.Context) -> str:
    """Return what the help page says of some arguments and options."""
    rows = [parameter.get_help_record(context) for parameter in parameters]
    return _markdown(("option", "meaning"), [(f"`{row[0]}`", " ".join(row[1].split())) for row in rows if row])


def _everywhere() -> str:
    """Return the options that every command takes."""
    _, command, context = next(leaves())
    shared = _options([parameter for parameter in command.params if parameter.name in EVERYWHERE], context)
    return f"These may stand before or after the verb. `demo` and `init` make DIR and refuse the first two.\n\n{shared}"


def json_keys(verb: str) -> list[str]:
    """Return the keys that ``--json`` prints beside ``command``, in their order."""
    return list(EXPLAINED) if verb == "explain" else _fields(RESULTS[verb])


def _fields(where: str) -> list[str]:
    """Return the fields of a dataclass named ``module:class``."""
    module, name = where.split(":")
    return [field.name for field in dataclasses.fields(getattr(importlib.import_module(module), name))]


def _nested() -> str:
    """Return the keys of the objects inside the results' lists; ``rows[]`` has the columns of Quarantine."""
    rows = [(f"`{key}`", ", ".join(f"`{name}`" for name in _fields(where))) for key, where in NESTED.items()]
    tables = [
        ("`rows[]` of `quarantine show`", "the columns of Quarantine, below"),
        ("`table[]` of `validate`", "the columns of Validation, below"),
        ("`table[]` of `placebo`, `sensitivity`, `simulate`", "the columns of Placebo, Sensitivity, SimulationStudy"),
        (
            "`precision_table[]`, `agreement_table[]` of `audit estimate`",
            "the columns of AuditPrecision, AuditAgreement",
        ),
        ("`value` of `explain`", "the columns of Values, below"),
        ("`matches[]` of `explain`", "the columns of Matches but session_id, and `title`, `unit`, `fold`, `error`"),
    ]
    return _markdown(("list", "keys of an item"), [*rows, *tables])


def _files() -> str:
    """Return the paths of `valuation.storage.Layout` with their docstrings, and the files of a run."""
    from valuation.storage import Layout

    layout = Layout(Path("W"))
    rows = []
    for name, member in vars(Layout).items():
        if isinstance(member, property):
            path = getattr(layout, name).relative_to("W")
            rows.append((f"`{path}`", inspect.cleandoc(member.__doc__ or "")))
    rows += [
        ("`quarantine/<kind>/<import_id>.parquet`", "Rows that could not be used, each with its reason."),
        ("`imports/<kind>/<import_id>.parquet`", "Which rows an import brought."),
        ("`runs/<run_id>/`", "The tables below, `report.html`, `main-figure.svg`, `manifest.json`, `timings.json`."),
        ("`runs/<run_id>/sensitivity.json`", "What the specification curve was made from; a second call reads it."),
        ("`runs/<run_id>/specification-curve.svg`", "The specification curve as a figure."),
        (
            "`validation/<basket>/`",
            "The pricer card, `validation.parquet`, and of `--holdout` `holdout.parquet`; beside each, what every "
            "held-out posting was predicted at: `validation_predictions.parquet`, `holdout_predictions.parquet`.",
        ),
        ("`crawl/<source>/store.db`", "A source's answers, versions, counts and faults (SQLite; `docs/crawl.md`)."),
        ("`crawl/reports/<time>/`", "A crawl's `report.html` and `report.json`."),
        ("`runs/<run_id>/withdrawn.json`", "What retention has deleted of a run's postings, if anything."),
        ("`review.db`", "Verdicts (SQLite), unless `review.database` names another database."),
        ("`runs/<run_id>/.review/`", "The lists of the review pages (DuckDB); made again when it is missing."),
        ("`indices/<basket>/gigs.sqlite`", "The basket's postings for the review pages; goes with the basket."),
        ("`audits/<audit_id>/`", "A sample, its design, `audit.json`, and what was estimated, `estimate.json`."),
        ("`faults/`", "Trace-backs of errors of ours (exit status 70)."),
    ]
    return _markdown(("path", "holds"), rows)


def _tables() -> Iterator[str]:
    tables = importlib.import_module("valuation.tables")
    for name, path in TABLES.items():
        schema: type[Table] = getattr(tables, name)
        rows = [
            (f"`{column}`", _type(spec.dtype), "yes" if spec.nullable else "", _rule(spec))
            for column, spec in schema.to_schema().columns.items()
        ]
        about = inspect.cleandoc(schema.__doc__ or "")
        yield f"### {name}\n\n{about} In `{path}`.\n\n" + _markdown(("column", "type", "may be missing", "rule"), rows)


def _type(dtype: object) -> str:
    """Name a column's type as a reader in any language would."""
    text = str(dtype)
    names = {"float64": "float", "int64": "integer", "bool": "boolean"}
    return names.get(text, "time, UTC" if text.startswith("datetime") else "text")


def _rule(spec: Any) -> str:  # noqa: ANN401 - a pandera column
    """Return the checks and the description of a column."""
    checks = [_check(check) for check in spec.checks]
    unique = ["unique"] if spec.unique else []
    return "; ".join([*unique, *checks, *([spec.description] if spec.description else [])])


def _check(check: Any) -> str:  # noqa: ANN401 - a pandera check
    """Spell a check in signs."""
    said = check.statistics or {}
    if "allowed_values" in said:
        return ", ".join(map(str, said["allowed_values"]))
    if "pattern" in said:
        pattern = said["pattern"]
        return f"`{getattr(pattern, 'pattern', pattern)}`"
    signs = {"greater_than": ">", "greater_than_or_equal_to": "≥", "less_than": "<", "less_than_or_equal_to": "≤"}
    if check.name in signs:
        return f"{signs[check.name]} {next(iter(said.values())):g}"
    if check.name == "str_length":
        return f"at least {said.get('min_value')} character"
    return str(check.error or check.name)


def _settings() -> str:
    """Return the settings with their defaults and comments, as ``configs/`` has them; of the sources the first's."""
    rows = [*_commented("default.toml", ""), *_commented("sources.toml", "sources.")]
    about = (
        "Order of precedence: `configs/default.toml` and `configs/sources.toml`, the workspace's `valuation.toml`, "
        "`--set section.key=value`. Every source has the keys of the first."
    )
    return f"{about}\n\n" + _markdown(("setting", "default", "meaning"), rows)


def _commented(file: str, prefix: str) -> list[tuple[str, str, str]]:
    """Return name, value and comment of the commented lines of a settings file."""
    from valuation.config import configs_dir

    section, rows = "", []
    for line in (configs_dir() / file).read_text(encoding="utf-8").splitlines():
        if header := re.match(r"\[(\w+)\]", line):
            section = header[1]
        elif setting := re.match(r"(\w+) = (.*?)\s+# (.*)$", line):
            rows.append((f"`{prefix}{section}.{setting[1]}`", f"`{setting[2]}`", setting[3]))
    return rows


if __name__ == "__main__":
    sys.stdout.write(page())
