"""The log of verdicts, which triggers keep append-only, assignments, and places."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

REFUSED = "verdicts are never changed or deleted; undo is a new line"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "verdicts",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("action", sa.String(8), nullable=False),
        sa.Column("undoes", sa.Integer, sa.ForeignKey("verdicts.id")),
        sa.Column("audit_id", sa.String(64), nullable=False),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("settings_hash", sa.String(64), nullable=False),
        sa.Column("session_id", sa.String(400), nullable=False),
        sa.Column("posting_id", sa.String(400), nullable=False),
        sa.Column("verdict", sa.String(16)),
        sa.Column("price_usd", sa.Double),
        sa.Column("better_posting_id", sa.String(400)),
        sa.Column("better_rank", sa.Integer),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("analyst", sa.String(60), nullable=False),
        sa.Column("adjudicates", sa.Boolean, nullable=False),
        sa.Column("blind", sa.Boolean, nullable=False),
        sa.Column("shown", sa.Text, nullable=False),
        sa.Column("decided_at", sa.DateTime, nullable=False),
        sa.Column("origin", sa.String(8), nullable=False),
        sa.UniqueConstraint("token", name="verdicts_token_once"),
        sa.UniqueConstraint("undoes", name="verdicts_undone_once"),
        sa.CheckConstraint("(action = 'undo') = (undoes IS NOT NULL)", name="verdicts_undo_names_a_line"),
        sa.CheckConstraint("(action = 'verdict') = (verdict IS NOT NULL)", name="verdicts_verdict_is_said"),
        sqlite_autoincrement=True,  # an id is never given twice
    )
    op.create_index("verdicts_by_session", "verdicts", ["audit_id", "session_id"])
    op.create_index("verdicts_by_analyst", "verdicts", ["analyst", "audit_id", "id"])
    op.create_table(
        "assignments",
        sa.Column("audit_id", sa.String(64), nullable=False),
        sa.Column("session_id", sa.String(400), nullable=False),
        sa.Column("slot", sa.Integer, nullable=False),
        sa.Column("analyst", sa.String(60), nullable=False),
        sa.Column("expires_at", sa.DateTime, nullable=False),
        sa.Column("finished_at", sa.DateTime),
        sa.Column("revealed_at", sa.DateTime),
        sa.PrimaryKeyConstraint("audit_id", "session_id", "slot", name="assignments_pk"),
        sa.UniqueConstraint("audit_id", "session_id", "analyst", name="assignments_once_an_analyst"),
    )
    op.create_index("assignments_by_analyst", "assignments", ["audit_id", "analyst"])
    op.create_table(
        "places",
        sa.Column("analyst", sa.String(60), nullable=False),
        sa.Column("queue", sa.String(80), nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("seen_at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("analyst", "queue", name="places_pk"),
    )
    _append_only()


def _append_only() -> None:
    """Let the database itself refuse what would overwrite a verdict."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER verdicts_no_{verb.lower()} BEFORE {verb} ON verdicts "
                f"BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
            )
        op.execute(  # INSERT OR REPLACE deletes without the trigger of a DELETE
            "CREATE TRIGGER verdicts_no_replace BEFORE INSERT ON verdicts WHEN EXISTS (SELECT 1 FROM verdicts "
            "WHERE id = NEW.id OR token = NEW.token OR undoes = NEW.undoes) BEGIN SELECT RAISE(IGNORE); END"
        )
        return
    op.execute(
        "CREATE FUNCTION verdicts_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSED}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER verdicts_no_change BEFORE UPDATE OR DELETE ON verdicts "
        "FOR EACH ROW EXECUTE FUNCTION verdicts_refuse()"
    )
    op.execute(
        "CREATE TRIGGER verdicts_no_truncate BEFORE TRUNCATE ON verdicts "
        "FOR EACH STATEMENT EXECUTE FUNCTION verdicts_refuse()"
    )


def downgrade() -> None:
    """Refuse: going back would delete verdicts."""
    raise NotImplementedError("the first migration is not undone: it would delete verdicts")
