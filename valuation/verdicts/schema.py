"""Tables of the verdict database, as the newest migration leaves them. A test compares them with the migrations."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData()

VERDICT_LOG = Table(
    "verdicts",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("token", String(64), nullable=False),
    Column("action", String(8), nullable=False),
    Column("undoes", Integer, ForeignKey("verdicts.id")),
    Column("audit_id", String(64), nullable=False),
    Column("run_id", String(64), nullable=False),
    Column("settings_hash", String(64), nullable=False),
    Column("session_id", String(400), nullable=False),
    Column("posting_id", String(400), nullable=False),
    Column("verdict", String(16)),
    Column("price_usd", Double),
    Column("better_posting_id", String(400)),
    Column("better_rank", Integer),
    Column("note", Text, nullable=False),
    Column("analyst", String(60), nullable=False),
    Column("adjudicates", Boolean, nullable=False),
    Column("blind", Boolean, nullable=False),
    Column("shown", Text, nullable=False),
    Column("decided_at", DateTime, nullable=False),
    Column("origin", String(8), nullable=False),
    UniqueConstraint("token", name="verdicts_token_once"),
    UniqueConstraint("undoes", name="verdicts_undone_once"),
    CheckConstraint("(action = 'undo') = (undoes IS NOT NULL)", name="verdicts_undo_names_a_line"),
    CheckConstraint("(action = 'verdict') = (verdict IS NOT NULL)", name="verdicts_verdict_is_said"),
    Index("verdicts_by_session", "audit_id", "session_id"),
    Index("verdicts_by_analyst", "analyst", "audit_id", "id"),
)
"""Append-only: triggers refuse UPDATE and DELETE. `decided_at` is UTC without a zone."""

ASSIGNMENTS = Table(
    "assignments",
    METADATA,
    Column("audit_id", String(64), nullable=False),
    Column("session_id", String(400), nullable=False),
    Column("slot", Integer, nullable=False),
    Column("analyst", String(60), nullable=False),
    Column("expires_at", DateTime, nullable=False),
    Column("finished_at", DateTime),
    PrimaryKeyConstraint("audit_id", "session_id", "slot", name="assignments_pk"),
    UniqueConstraint("audit_id", "session_id", "analyst", name="assignments_once_an_analyst"),
    Index("assignments_by_analyst", "audit_id", "analyst"),
)
"""Who works on which session of an audit: one analyst a slot, as many slots as reviews are wanted."""

SEEN = Table(
    "seen",
    METADATA,
    Column("session_id", String(400), nullable=False),
    Column("analyst", String(60), nullable=False),
    Column("seen_at", DateTime, nullable=False),
    PrimaryKeyConstraint("analyst", "session_id", name="seen_pk"),
)
"""Sessions of audits whose figures an analyst has seen."""

PLACES = Table(
    "places",
    METADATA,
    Column("analyst", String(60), nullable=False),
    Column("queue", String(80), nullable=False),
    Column("address", Text, nullable=False),
    Column("seen_at", DateTime, nullable=False),
    PrimaryKeyConstraint("analyst", "queue", name="places_pk"),
)
"""Where each analyst left each queue."""

COLUMNS = tuple(column.name for column in VERDICT_LOG.columns)
