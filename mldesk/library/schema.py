"""The tables of the library, as the newest migration leaves them.

``REVISIONS`` names every migration this code knows, oldest first; a test holds tables and migrations together.
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011", "0012", "0013")
HEAD = REVISIONS[-1]

metadata = MetaData(naming_convention={
    "pk": "pk_%(table_name)s", "uq": "uq_%(table_name)s_%(column_0_name)s", "ix": "ix_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
})

datasets = Table(
    "datasets", metadata,
    Column("key", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("folded", Text, nullable=False),      # the name where case does not count
    Column("head", Integer, nullable=False),     # number of the version that the bare name means
    Column("created", Float, nullable=False),    # every time here: seconds since the epoch
    Column("removed", Float),                    # when it went to the bin
    Index("uq_datasets_folded", "folded", unique=True, sqlite_where=text("removed IS NULL")),
)

dataset_versions = Table(
    "dataset_versions", metadata,
    Column("key", Integer, primary_key=True),
    Column("dataset", Integer, ForeignKey("datasets.key", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("manifest", Text, nullable=False),    # digest
    Column("rows", Integer, nullable=False),
    Column("size", Integer, nullable=False),     # bytes
    Column("parent", Integer),
    Column("source", Text, nullable=False),
    Column("profile", Text),                     # digest
    Column("created", Float, nullable=False),
    Column("recipe", Text),                      # JSON
    Column("reading", Text),                     # JSON: what was imported and how
    Column("purged", Float),                     # when a person threw its rows away; what it came of stays
    Column("problems", Text, nullable=False),    # JSON
    Column("columns", Text, nullable=False),     # JSON; last, since it may be long
    UniqueConstraint("dataset", "number"),
)

dataset_words = Table(
    "dataset_words", metadata,
    Column("dataset", Integer, ForeignKey("datasets.key", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),  # of the version; 0: the dataset itself
    Column("note", Text, nullable=False),
    Column("tags", Text, nullable=False),        # JSON
    sqlite_with_rowid=False,
)

contracts = Table(
    "contracts", metadata,
    Column("dataset", Integer, ForeignKey("datasets.key", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("created", Float, nullable=False),
    Column("document", Text, nullable=False),    # JSON
    Column("version", Integer, nullable=False, server_default=text("1")),  # the one it was made for
    sqlite_with_rowid=False,
)

accepted_files = Table(
    "accepted_files", metadata,
    Column("dataset", Integer, ForeignKey("datasets.key", ondelete="CASCADE"), primary_key=True),
    Column("digest", Text, primary_key=True),    # of the file's bytes
    Column("version", Integer, primary_key=True),  # the one its rows came in with
    Column("name", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# Each file that was checked, once for every check; what was said then never changes, only what a person decided.
checked_files = Table(
    "checked_files", metadata,
    Column("dataset", Integer, ForeignKey("datasets.key", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("batch", Integer, nullable=False),    # number of the check, which may be of many files
    Column("time", Float, nullable=False),
    Column("contract", Integer, nullable=False),  # number of the one it was held to
    Column("path", Text, nullable=False),
    Column("digest", Text, nullable=False),      # of the file's bytes
    Column("status", Text, nullable=False),      # accepted, rejected or unchanged
    Column("rows", Integer, nullable=False),
    Column("bad_rows", Integer, nullable=False),
    Column("version", Integer),                  # that its rows went into
    Column("aside", Text, nullable=False),       # where a rejected one was copied to, or ""
    Column("decided", Float),                    # when a person took it in spite of what is wrong
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("findings", Text, nullable=False),    # JSON; last, since it may be long
    sqlite_with_rowid=False,
)

models = Table(
    "models", metadata,
    Column("key", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("folded", Text, nullable=False, unique=True),
    Column("promoted", Integer),                 # number of the version that the bare name means
    Column("created", Float, nullable=False),
)

runs = Table(
    "runs", metadata,
    Column("key", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),  # ULID
    Column("name", Text, nullable=False),
    Column("folded", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("cause", Text),
    Column("message", Text, nullable=False),
    Column("hint", Text, nullable=False),
    Column("runner", Text, nullable=False),
    Column("dataset", Text, nullable=False),     # name@version as it was called then
    Column("dataset_version", Integer, ForeignKey("dataset_versions.key", ondelete="SET NULL")),
    Column("task", Text),
    Column("target", Text, nullable=False),
    Column("estimator", Text, nullable=False),
    Column("model_name", Text, nullable=False),  # its model will be a version of that name
    Column("last_seq", Integer, nullable=False),
    Column("created", Float, nullable=False),
    Column("started", Float),
    Column("finished", Float),
    Column("stage", Text, nullable=False),
    Column("progress", Text),                    # JSON
    Column("parameters", Text, nullable=False),  # JSON
    Column("result", Text),                      # JSON
    Column("handover", Text),                    # JSON: its runner has yet to take it over from the one before
    Column("note", Text, nullable=False, server_default=text("''")),      # what a person wrote of it
    Column("collection", Text, nullable=False, server_default=text("''")),  # the group it was put into
    Column("tags", Text, nullable=False, server_default=text("'[]'")),    # JSON: words in order
    Column("split", Text),                       # digest of the membership whose test rows it has looked at
    Column("priority", Integer, nullable=False, server_default=text("0")),  # in its runner's queue, as it was begun
    Column("not_before", Float),                 # it is not to start before that moment of its runner's clock
    Column("spec", Text, nullable=False),        # JSON; last, since it may be long
    Index("ix_runs_folded", "folded"),
    Index("ix_runs_state", "state", "id"),
    Index("ix_runs_dataset_version", "dataset_version"),
    Index("ix_runs_split", "split", "dataset_version"),
)

events = Table(
    "events", metadata,
    Column("run", Integer, ForeignKey("runs.key", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("time", Float, nullable=False),
    Column("kind", Text, nullable=False),
    Column("payload", Text, nullable=False),     # JSON
    sqlite_with_rowid=False,
)

# Once a run has said enough, its events move on into blocks (see ``event_blocks``); the newest stay in ``events``.
event_blocks = Table(
    "event_blocks", metadata,
    Column("key", Integer, primary_key=True),
    Column("run", Integer, ForeignKey("runs.key", ondelete="CASCADE"), nullable=False),
    Column("first", Integer, nullable=False),    # sequence numbers of its first and its last event
    Column("last", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
    UniqueConstraint("run", "first"),
)

artifacts = Table(
    "artifacts", metadata,
    Column("run", Integer, ForeignKey("runs.key", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("size", Integer, nullable=False),     # bytes
    Column("kind", Text, nullable=False),
    sqlite_with_rowid=False,
)

model_versions = Table(
    "model_versions", metadata,
    Column("key", Integer, primary_key=True),
    Column("model", Integer, ForeignKey("models.key", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("manifest", Text, nullable=False),    # digest
    Column("run", Integer, ForeignKey("runs.key", ondelete="SET NULL"), unique=True),  # null: imported
    Column("dataset", Text, nullable=False),     # name@version as it was called then
    Column("dataset_version", Integer, ForeignKey("dataset_versions.key", ondelete="SET NULL")),
    Column("task", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("estimator", Text, nullable=False),
    Column("size", Integer, nullable=False),     # bytes
    Column("created", Float, nullable=False),
    Column("notes", Text, nullable=False),
    Column("metrics", Text, nullable=False),     # JSON
    UniqueConstraint("model", "number"),
    Index("ix_model_versions_dataset_version", "dataset_version"),
)

model_words = Table(
    "model_words", metadata,
    Column("version", Integer, ForeignKey("model_versions.key", ondelete="CASCADE"), primary_key=True),
    Column("stage", Text, nullable=False),       # "", "candidate", "archived"; the promoted one stands in models
    Column("card", Text),                        # Markdown, as a person left it; null: as it was made
    Column("tags", Text, nullable=False, server_default=text("'[]'")),    # JSON: words in order
    Column("threshold", Text),                   # JSON, see bundles.threshold; "": none; null: that of its files
)

stage_changes = Table(
    "stage_changes", metadata,
    Column("key", Integer, primary_key=True),
    Column("model", Integer, ForeignKey("models.key", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("time", Float, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("note", Text, nullable=False),
    Index("ix_stage_changes_model", "model"),
)

predictions = Table(
    "predictions", metadata,
    Column("key", Integer, primary_key=True),
    Column("time", Float, nullable=False),
    Column("model", Text, nullable=False),       # name@version as it was called then, or a bundle's file name
    Column("version", Integer, ForeignKey("model_versions.key", ondelete="SET NULL")),  # null: a bundle
    Column("manifest", Text, nullable=False),    # digest of the model's manifest, or of the bundle
    Column("source", Text, nullable=False),      # path
    Column("source_digest", Text, nullable=False),
    Column("output", Text, nullable=False),
    Column("output_digest", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("left_out", Integer, nullable=False),
    Column("options", Text, nullable=False),     # JSON: level, keep, strict, rejects
    Index("ix_predictions_version", "version"),
)

runners = Table(
    "runners", metadata,
    Column("name", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("seen", Float),
    Column("facts", Text, nullable=False),       # JSON
    Column("added", Float),
    Column("unreachable", Float),                # first failed contact since it last answered; null: all is well
    Column("trouble", Text, nullable=False, server_default=text("''")),   # why it is out of reach
    Column("options", Text, nullable=False, server_default=text("'{}'")),  # JSON: what was chosen when it was added
)

settings = Table(
    "settings", metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),       # JSON
)
