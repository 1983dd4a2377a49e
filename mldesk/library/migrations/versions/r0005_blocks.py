"""Events in compressed blocks, which hold the metric points as well; notes, groups and tags of runs; tests counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mldesk.library.event_rows import pack

revision = "0005"
down_revision = "0004"

_PAYS = 64   # events of a run from which blocks are worth it


def upgrade() -> None:
    with op.batch_alter_table("runs", recreate="always") as table:
        table.add_column(sa.Column("note", sa.Text(), nullable=False, server_default=sa.text("''")),
                         insert_before="spec")
        table.add_column(sa.Column("collection", sa.Text(), nullable=False, server_default=sa.text("''")),
                         insert_before="spec")
        table.add_column(sa.Column("tags", sa.Text(), nullable=False, server_default=sa.text("'[]'")),
                         insert_before="spec")
        table.add_column(sa.Column("split", sa.Text(), nullable=True), insert_before="spec")
        table.create_index("ix_runs_split", ["split", "dataset_version"])
    op.create_table(
        "event_blocks",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.key"], name="fk_event_blocks_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name="pk_event_blocks"),
        sa.UniqueConstraint("run", "first", name="uq_event_blocks_run"),
    )
    op.drop_table("metric_points")  # the events hold them
    connection = op.get_bind()
    connection.exec_driver_sql("UPDATE runs SET split = json_extract(result, '$.split') WHERE result IS NOT NULL "
                               "AND json_type(result, '$.split') = 'text'")
    talkative = connection.exec_driver_sql("SELECT run FROM events GROUP BY run HAVING count(*) >= ?", (_PAYS,))
    for (key,) in talkative.fetchall():
        rows = connection.exec_driver_sql("SELECT seq, time, kind, payload FROM events WHERE run = ? ORDER BY seq",
                                          (key,)).fetchall()
        pack(connection, key, [tuple(row) for row in rows])
        connection.exec_driver_sql("DELETE FROM events WHERE run = ?", (key,))
