"""What analysts have seen, whether or not a session was in their hands."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, and take over what assignments knew."""
    op.create_table(
        "seen",
        sa.Column("session_id", sa.String(400), nullable=False),
        sa.Column("analyst", sa.String(60), nullable=False),
        sa.Column("seen_at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("analyst", "session_id", name="seen_pk"),
    )
    op.execute(
        "INSERT INTO seen (session_id, analyst, seen_at) SELECT session_id, analyst, min(revealed_at) FROM assignments "
        "WHERE revealed_at IS NOT NULL GROUP BY session_id, analyst"
    )
    op.drop_column("assignments", "revealed_at")


def downgrade() -> None:
    """Refuse: going back would forget what was seen."""
    raise NotImplementedError("this migration is not undone: it would forget what analysts have seen")
