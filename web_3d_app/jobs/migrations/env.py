"""Alembic's entry: the connection comes from `Database.migrate`."""

from __future__ import annotations

from alembic import context

from web_3d_app.jobs.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
