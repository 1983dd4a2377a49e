"""Contracts of datasets, and the files that were accepted under them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "contracts",
        sa.Column("dataset", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["dataset"], ["datasets.key"], name="fk_contracts_dataset", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("dataset", "number", name="pk_contracts"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "accepted_files",
        sa.Column("dataset", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["dataset"], ["datasets.key"], name="fk_accepted_files_dataset", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("dataset", "digest", "version", name="pk_accepted_files"),
        sqlite_with_rowid=False,
    )
