"""The versions of other datasets that a recipe brings in: found by name, or by their rows where the name moved on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mldesk.core.errors import NotFound
from mldesk.library import Library
from mldesk.library.names import fold
from mldesk.library.records import DatasetVersion
from mldesk.workbench.far_data import refuse_elsewhere
from mldesk.workbench.references import parse_reference

Step = Mapping[str, Any]


def pinned(library: Library, show: Callable[[str], DatasetVersion], steps: Sequence[Step]) -> list[Step]:
    """Return the steps with the versions of other datasets by their digest, so that replays see the same rows.

    ``show`` returns the version that a reference means. Raises BadInput naming the step, NotFound, DataElsewhere.
    """
    from mldesk.data.recipes.steps import check_steps

    found: list[Step] = []
    for step in check_steps(steps):
        if step["step"] in ("join", "union") and not step.get("disabled"):
            other = _other(library, show, str(step["dataset"]), str(step.get("digest") or ""))
            refuse_elsewhere(library, other)
            step = {**step, "dataset": other.label, "digest": other.manifest}
        found.append(step)
    return found


def moved(steps: Sequence[Step], found: Sequence[Step]) -> tuple[str, ...]:
    """Say which versions of other datasets were found under another name than the recipe has, or another number."""
    return tuple(f"Step {number}: {before['dataset']} of this recipe is {after['dataset']} now."
                 for number, (before, after) in enumerate(zip(steps, found, strict=True), start=1)
                 if after.get("digest") and before.get("digest") == after["digest"]
                 and not _means(str(before["dataset"]), str(after["dataset"])))


def _means(reference: str, label: str) -> bool:
    """Say whether a reference names a version, or the dataset that it is of."""
    (name, number), (other, its) = parse_reference(reference), parse_reference(label)
    return fold(name) == fold(other) and number in (None, its)


def _other(library: Library, show: Callable[[str], DatasetVersion], reference: str, digest: str) -> DatasetVersion:
    try:
        named = show(reference)
    except NotFound:
        if not digest:
            raise
    else:
        if digest in ("", named.manifest):
            return named
    alike = library.datasets.with_manifest(digest)
    if not alike:
        raise NotFound(f"No dataset here has the rows of {reference!r:.80} that this recipe was made with.",
                       hint="`mldesk data bin` shows whether it was removed; else import the same data again.")
    number = parse_reference(reference)[1]
    return next((version for version in alike if version.number == number), alike[-1])
