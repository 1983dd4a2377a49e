"""The payload of an "explain" job: which model, on which rows of which table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mldesk.core.errors import BadInput

KIND = "explain"
_PARTS = ("test", "validation", "train")


@dataclass(frozen=True, slots=True)
class ExplainRequest:
    """What an "explain" job is told."""

    model: str                              # name@version, for people
    manifest: str                           # digest of the model's files
    dataset: str                            # manifest digest of the table's Parquet parts
    dataset_name: str                       # name@version
    columns: tuple[Mapping[str, Any], ...]  # wire.schema.Column as JSON, in table order
    target: str
    task: str
    membership: str | None = None           # digest of the split: one byte per row; None: all rows, seen or not
    part: str = "test"
    features: tuple[str, ...] = ()          # columns to follow in particular; (): the most important
    explained: int = 100                    # rows that get Shapley values, at most
    seed: int = 0
    classes: tuple[str, ...] = ()           # that are to be explained, as text; others by how common they are

    def to_json(self) -> dict[str, Any]:
        return {**{key: value for key, value in asdict(self).items() if key != "classes"},
                "columns": [dict(column) for column in self.columns], "features": list(self.features),
                "estimator": "explain", **({"classes": list(self.classes)} if self.classes else {})}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ExplainRequest:
        """Read a payload. Raises BadInput for any other shape."""
        try:
            given = {key: item for key, item in value.items() if key != "estimator"}
            given["columns"] = tuple(dict(column) for column in given["columns"])
            given["features"] = tuple(str(name) for name in given["features"])
            given["classes"] = tuple(str(label) for label in given.get("classes", ()))
            request = cls(**given)
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"This is not an order to explain a model: {error!r:.200}.") from error
        if request.part not in _PARTS or type(request.explained) is not int or request.explained < 1:
            raise BadInput("This is not an order to explain a model: its rows make no sense.")
        return request
