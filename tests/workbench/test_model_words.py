"""What a person says of a model's version."""

from __future__ import annotations

from typing import Any

import pytest

from mldesk.core.errors import BadInput, NotFound
from mldesk.workbench.models import ModelService
from mldesk.workbench.summaries import model_details
from tests.workbench.stand_ins import Desk


def test_a_version_has_a_note_and_tags(desk: Desk) -> None:
    keys: Any = None   # of bundles, which nobody writes here
    models = ModelService(desk.library, keys)
    manifest = desk.library.objects.put_manifest({"model.json": desk.library.objects.put_bytes(b"{}")})
    version = desk.library.models.add_imported(manifest, {"name": "churn", "task": "tabular_regression", "target": "y",
                                                          "estimator": "mlp", "metrics": {}}, source="x")
    models.annotate("churn", note=" Fewer columns than before. ")
    found = models.tag("churn@1", ["small", "für Ada", "small"])
    assert (found.notes, found.tags) == ("Fewer columns than before.", ("small", "für Ada"))
    assert model_details(models.tag("churn", remove=["small"]))["tags"] == ["für Ada"]
    assert models.tag(version.label).tags == ("für Ada",)
    with pytest.raises(BadInput, match="no tag 'big'"):
        models.tag("churn", remove=["big"])
    with pytest.raises(NotFound):
        models.annotate("other", note="x")
