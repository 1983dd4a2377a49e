"""The priority that a run was begun with, for whoever sends it later."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    with op.batch_alter_table("runs", recreate="always") as table:
        table.add_column(sa.Column("priority", sa.Integer(), nullable=False, server_default=sa.text("0")),
                         insert_before="spec")
        for name in ("note", "collection"):  # a table that is rebuilt would put their defaults in brackets
            table.alter_column(name, server_default=sa.text("''"))
