"""A job may be made again of a stored photo: it remembers the first one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Jobs before this are all first ones."""
    op.add_column("jobs", sa.Column("origin_id", sa.String()))
    op.create_index("ix_jobs_origin", "jobs", ["origin_id"])
