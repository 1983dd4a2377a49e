"""The tags of a model's version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    with op.batch_alter_table("model_words", recreate="always") as table:
        table.add_column(sa.Column("tags", sa.Text(), nullable=False, server_default=sa.text("'[]'")))
