"""The clocks as the housekeeping last saw them, so that a wall clock that was set while it was down is noticed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """One row."""
    op.create_table(
        "keeper",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("wall", sa.Double(), nullable=False),
        sa.Column("since_boot", sa.Double(), nullable=False),
        sa.Column("boot", sa.String(), nullable=False),
    )
