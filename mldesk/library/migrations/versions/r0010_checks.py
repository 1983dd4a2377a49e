"""Files that were checked against a contract, who took them in spite of it, and versions whose rows were purged."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    with op.batch_alter_table("dataset_versions", recreate="always") as table:
        table.add_column(sa.Column("purged", sa.Float(), nullable=True), insert_before="problems")
    op.create_table(
        "checked_files",
        sa.Column("dataset", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("time", sa.Float(), nullable=False),
        sa.Column("contract", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("bad_rows", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("aside", sa.Text(), nullable=False),
        sa.Column("decided", sa.Float(), nullable=True),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["dataset"], ["datasets.key"], name="fk_checked_files_dataset", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("dataset", "number", name="pk_checked_files"),
        sqlite_with_rowid=False,
    )
