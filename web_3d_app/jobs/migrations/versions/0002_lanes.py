"""A job goes through lanes; workers belong to crews."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Jobs of the one lane that there was begin anew in the first."""
    op.add_column("jobs", sa.Column("claimed_at", sa.Double()))
    op.execute("UPDATE jobs SET lane = 'view', claimed_at = started_at")
    op.execute("DELETE FROM workers")
    op.alter_column("workers", "lane", new_column_name="crew")
