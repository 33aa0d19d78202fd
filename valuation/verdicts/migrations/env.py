"""Alembic's entry: migrate on the connection that was handed over."""

from __future__ import annotations

from alembic import context

from valuation.verdicts.schema import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
