"""What the upload's file said of the photo is kept: a panorama, a depth map in it, tags that do not fit, its full size."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Jobs before this have none, and are made as before."""
    op.add_column("jobs", sa.Column("photo_facts", sa.JSON()))
