"""Stages of model versions and their history, model cards in a person's words, and what was predicted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "model_words",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("card", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["version"], ["model_versions.key"], name="fk_model_words_version", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("version", name="pk_model_words"),
    )
    op.create_table(
        "stage_changes",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("model", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("time", sa.Float(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["model"], ["models.key"], name="fk_stage_changes_model", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name="pk_stage_changes"),
    )
    op.create_index("ix_stage_changes_model", "stage_changes", ["model"])
    op.create_table(
        "predictions",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("time", sa.Float(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("manifest", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_digest", sa.Text(), nullable=False),
        sa.Column("output", sa.Text(), nullable=False),
        sa.Column("output_digest", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["version"], ["model_versions.key"], name="fk_predictions_version",
                                ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("key", name="pk_predictions"),
    )
    op.create_index("ix_predictions_version", "predictions", ["version"])
