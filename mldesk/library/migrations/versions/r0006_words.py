"""Notes and tags of datasets and of their versions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "dataset_words",
        sa.Column("dataset", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["dataset"], ["datasets.key"], name="fk_dataset_words_dataset", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("dataset", "number", name="pk_dataset_words"),
        sqlite_with_rowid=False,
    )
