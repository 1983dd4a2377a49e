"""Imported versions remember what was read and how, so that it can be done again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    with op.batch_alter_table("dataset_versions", recreate="always") as table:
        table.add_column(sa.Column("reading", sa.Text(), nullable=True), insert_before="problems")
