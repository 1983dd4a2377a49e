"""The moment before which a run is not to start."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    with op.batch_alter_table("runs", recreate="always") as table:
        table.add_column(sa.Column("not_before", sa.Float(), nullable=True), insert_before="spec")
        for name in ("note", "collection"):  # a table that is rebuilt would put their defaults in brackets
            table.alter_column(name, server_default=sa.text("''"))
