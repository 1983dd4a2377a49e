"""Runners elsewhere: since when they are out of reach and why, and runs on their way from one to another."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # Rebuilt rather than altered, so that the schema is the same, letter by letter, as that of a new library.
    with op.batch_alter_table("runners", recreate="always") as table:
        table.add_column(sa.Column("added", sa.Float(), nullable=True))
        table.add_column(sa.Column("unreachable", sa.Float(), nullable=True))
        table.add_column(sa.Column("trouble", sa.Text(), nullable=False, server_default=sa.text("''")))
        table.add_column(sa.Column("options", sa.Text(), nullable=False, server_default=sa.text("'{}'")))
    with op.batch_alter_table("runs", recreate="always") as table:
        table.add_column(sa.Column("handover", sa.Text(), nullable=True), insert_before="spec")
