"""What the user keeps: SQLite rows through SQLAlchemy, handed out as plain records."""

from mldesk.library.library import Library
from mldesk.library.records import Dataset, DatasetVersion, MetricPoint, Model, ModelVersion, Run, RunnerRecord
from mldesk.library.run_facts import EventGap

__all__ = ["Dataset", "DatasetVersion", "EventGap", "Library", "MetricPoint", "Model", "ModelVersion", "Run",
           "RunnerRecord"]
