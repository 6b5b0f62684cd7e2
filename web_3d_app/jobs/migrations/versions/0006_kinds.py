"""Jobs are of kinds, and not each has a photo; one process is elected to keep the tables; it is told who stands still."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
PHOTO = {"photo_name": sa.String(), "photo_width": sa.Integer(), "photo_height": sa.Integer()}


def upgrade() -> None:
    """Jobs before this are of photos."""
    op.add_column("jobs", sa.Column("kind", sa.String(), nullable=False, server_default="photo"))
    for name, type_ in PHOTO.items():
        _let_be_null(name, type_)
    op.add_column("workers", sa.Column("stopped", sa.Boolean(), nullable=False, server_default=sa.false()))
    offices = op.create_table(
        "elections",
        sa.Column("office", sa.String(), primary_key=True),
        sa.Column("holder", sa.String()),
        sa.Column("term", sa.Integer(), nullable=False),
    )
    op.bulk_insert(offices, [{"office": "keeper", "holder": None, "term": 0}])


def _let_be_null(name: str, type_: Any) -> None:
    """SQLite cannot change a column; to make the table anew would drop it, and the files' rows with it."""
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column("jobs", name, nullable=True)
        return
    op.add_column("jobs", sa.Column(f"new_{name}", type_))
    op.execute(f"UPDATE jobs SET new_{name} = {name}")
    op.execute(f"ALTER TABLE jobs DROP COLUMN {name}")
    op.execute(f"ALTER TABLE jobs RENAME COLUMN new_{name} TO {name}")
