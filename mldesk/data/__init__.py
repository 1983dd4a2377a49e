"""Tables: read them from files, look at them, clean them by recipes, write them out again.

The names below load their modules on first use: pyarrow and duckdb come with the first table that is touched, not with
the first import of this package.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mldesk.data.differences import diff
    from mldesk.data.importing import import_table
    from mldesk.data.like import read_like
    from mldesk.data.preview import ImportPreview, preview_import
    from mldesk.data.profiling import profile
    from mldesk.data.recipes import apply_recipe, preview_recipe
    from mldesk.data.records import FORMATS, Fix, ImportCancelled, ImportOptions, ImportRefused, Problem, Table
    from mldesk.data.steps import STEPS, StepKind, parse_recipe
    from mldesk.data.view import TableView

__all__ = [
    "FORMATS", "STEPS", "Fix", "ImportCancelled", "ImportOptions", "ImportPreview", "ImportRefused", "Problem",
    "StepKind", "Table", "TableView", "apply_recipe", "diff", "import_table", "parse_recipe", "preview_import",
    "preview_recipe", "profile", "read_like",
]

_HOMES = {
    "diff": "differences", "import_table": "importing", "read_like": "like", "profile": "profiling",
    "apply_recipe": "recipes", "preview_recipe": "recipes", "TableView": "view",
    "preview_import": "preview", "ImportPreview": "preview", "Fix": "records",
    "FORMATS": "records", "ImportCancelled": "records", "ImportOptions": "records", "ImportRefused": "records",
    "Problem": "records", "Table": "records", "STEPS": "steps", "StepKind": "steps", "parse_recipe": "steps",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
