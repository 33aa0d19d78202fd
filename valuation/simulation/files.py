"""A world as files: two exports, the mappings to import them with, and the truth."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from valuation.errors import EnvironmentFault
from valuation.simulation.settings import as_record

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from valuation.simulation.world import World

POSTINGS_MAP = """\
# How the simulated markets' export is read: ours = theirs.
kind = "postings"

[columns]
posting_id = "job_ref"
source = "market"
title = "headline"
description = "details"
skills = "tags"
posted_at = "posted_on"
price_type = "terms"
price = "budget"
category = "rubric"
country = "country"
client_id = "client"

[constants]
currency = "USD"
date_quality = "exact"
price_kind = "posted"

[values.price_type]
"Fixed price" = "fixed"
"Hourly" = "hourly"
"""
SESSIONS_MAP = """\
# How the simulated tool's export is read: ours = theirs. Kind, tool and language stay as attributes.
kind = "sessions"
source = "simulated"

[columns]
session_id = "session_id"
user = "user"
started_at = "started_at"
summary = "summary"
"""


@dataclass(frozen=True, slots=True)
class WorldFiles:
    """Where a world's files are.

    Attributes
    ----------
    postings, sessions : Path
        postings.csv and sessions.jsonl, raw.
    postings_map, sessions_map : Path
        Mapping files for ``valuation import``.
    truth : Path
        truth.json: settings, seed, series, kinds, growth, decomposition, planted faults.
    true_postings, true_sessions : Path
        The truth of each row, CSV.
    """

    postings: Path
    sessions: Path
    postings_map: Path
    sessions_map: Path
    truth: Path
    true_postings: Path
    true_sessions: Path


def write_world(world: World, folder: Path) -> WorldFiles:
    """Write a world into `folder`, which is made if need be; the same world gives the same bytes.

    Raises
    ------
    EnvironmentFault
        The folder cannot be written to.
    """
    files = WorldFiles(
        postings=folder / "postings.csv",
        sessions=folder / "sessions.jsonl",
        postings_map=folder / "postings.map.toml",
        sessions_map=folder / "sessions.map.toml",
        truth=folder / "truth.json",
        true_postings=folder / "truth-postings.csv",
        true_sessions=folder / "truth-sessions.csv",
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in (
            (files.postings, _csv(world.postings)),
            (files.sessions, world.sessions.to_json(orient="records", lines=True, force_ascii=False)),
            (files.postings_map, POSTINGS_MAP),
            (files.sessions_map, SESSIONS_MAP),
            (files.truth, _truth(world)),
            (files.true_postings, _csv(world.truth.postings)),
            (files.true_sessions, _csv(world.truth.sessions)),
        ):
            path.write_bytes(text.encode())
    except OSError as error:
        raise EnvironmentFault(f"{folder}: the world cannot be written: {error.strerror or error}") from error
    return files


def _csv(frame: pd.DataFrame) -> str:
    return str(frame.to_csv(index=False, lineterminator="\n"))


def _truth(world: World) -> str:
    """Return the truth as JSON: tables are lists of records, a missing number is null.

    ``growth`` and ``growth_by_group`` are the population's, which an interval is about; the sample's own stand in
    ``growth_table``.
    """
    truth = world.truth
    tables = {
        "series": truth.series,
        "kinds": truth.kinds,
        "growth_table": truth.growth,
        "decomposition": truth.decomposition,
        "planted": truth.planted,
    }
    expected = truth.growth.set_index("kind")["expected_growth"].to_dict()
    record: dict[str, object] = {"growth": expected.pop(""), "growth_by_group": expected}
    record |= {"seed": world.seed, "settings": as_record(world.settings)}
    for name, frame in tables.items():
        record[name] = json.loads(frame.to_json(orient="records", double_precision=15))
    return json.dumps(record, indent=1, sort_keys=True) + "\n"
