"""Tables: read them from files, look at them, clean them by recipes, write them out again.

The names below load their modules on first use: pyarrow and duckdb come with the first table that is touched, not with
the first import of this package.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mldesk.data.imports.importing import import_table
    from mldesk.data.imports.like import read_like
    from mldesk.data.imports.preview import ImportPreview, preview_import
    from mldesk.data.recipes.applying import apply_recipe, preview_recipe
    from mldesk.data.recipes.steps import STEPS, StepKind, parse_recipe
    from mldesk.data.records import FORMATS, Fix, ImportCancelled, ImportOptions, ImportRefused, Problem, Table
    from mldesk.data.statistics.differences import diff
    from mldesk.data.statistics.profiling import profile
    from mldesk.data.view import TableView

__all__ = [
    "FORMATS", "STEPS", "Fix", "ImportCancelled", "ImportOptions", "ImportPreview", "ImportRefused", "Problem",
    "StepKind", "Table", "TableView", "apply_recipe", "diff", "import_table", "parse_recipe", "preview_import",
    "preview_recipe", "profile", "read_like",
]

_HOMES = {
    "diff": "statistics.differences", "import_table": "imports.importing", "read_like": "imports.like",
    "profile": "statistics.profiling", "apply_recipe": "recipes.applying", "preview_recipe": "recipes.applying",
    "TableView": "view", "preview_import": "imports.preview", "ImportPreview": "imports.preview", "Fix": "records",
    "FORMATS": "records", "ImportCancelled": "records", "ImportOptions": "records", "ImportRefused": "records",
    "Problem": "records", "Table": "records", "STEPS": "recipes.steps", "StepKind": "recipes.steps",
    "parse_recipe": "recipes.steps",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
