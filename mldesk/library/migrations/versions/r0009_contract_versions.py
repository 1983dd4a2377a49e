"""The version of a dataset that a contract was made for: it holds from there on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    with op.batch_alter_table("contracts", recreate="always", table_kwargs={"sqlite_with_rowid": False}) as table:
        table.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default=sa.text("1")))
    # Contracts were made of the version that was the newest, unless a person chose another.
    op.execute("UPDATE contracts SET version = coalesce((SELECT max(number) FROM dataset_versions WHERE "
               "dataset_versions.dataset = contracts.dataset AND dataset_versions.created <= contracts.created), 1)")
