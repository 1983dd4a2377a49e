"""The threshold that a person set for a version of a model."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    with op.batch_alter_table("model_words", recreate="always") as table:
        table.add_column(sa.Column("threshold", sa.Text(), nullable=True))
