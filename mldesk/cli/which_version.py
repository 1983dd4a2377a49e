"""Versions of one dataset on the command line: ``N V``, where V is a number, a tag or N@V, or ``N@V`` alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mldesk.core.errors import BadInput
from mldesk.library.names import fold

if TYPE_CHECKING:
    from mldesk.library.records import DatasetVersion
    from mldesk.workbench.bench import Workbench


def named_version(bench: Workbench, reference: str) -> DatasetVersion:
    """Return the version that N@V or N@TAG means. Raises NotFound; BadInput for a name alone."""
    found = bench.datasets.show(reference)
    if fold(found.dataset) == fold(reference):
        raise BadInput(f"Nobody said which version of {reference} is meant.",
                       hint=f"Write {reference}@1, or {reference} 1; `mldesk data versions {reference}` lists them.")
    return found


def version_of(bench: Workbench, name: str, word: str) -> DatasetVersion:
    """Return the version of a dataset that a number, a tag or N@V means. Raises NotFound, BadInput."""
    known = bench.datasets.show(name).dataset
    if "@" not in word:
        if fold(known) != fold(name):
            raise BadInput(f"{name!r:.80} names a version already.", hint=f"Write {known} {word}, or {known}@{word}.")
        return bench.datasets.show(f"{known}@{word}")
    found = named_version(bench, word)
    if found.dataset != known:
        raise BadInput(f"{word!r:.80} is no version of {known!r:.80}.", hint="Both are to be versions of one dataset.")
    return found
