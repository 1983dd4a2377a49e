"""Rows to be predicted, held against the contract of the dataset that a model learned from."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from mldesk.core.durable import disk_errors
from mldesk.core.errors import BadInput, NotFound
from mldesk.library import Library

_SAID = 3  # findings in a refusal


@dataclass(frozen=True, slots=True)
class Guarded:
    """What the contract says of the rows."""

    contract: str                       # "contract 2 of sales"
    messages: tuple[str, ...] = ()      # one sentence per broken rule
    errors: tuple[str, ...] = ()        # those of them that are no mere warning, and not mended by leaving rows out
    left_out: int = 0                   # rows that break it, where they may be left out
    all_left_out: bool = False

    def refuse(self) -> None:
        """Raise BadInput that says what breaks the contract, if anything does."""
        if self.errors:
            raise BadInput(f"The rows break {self.contract}: {' '.join(self.errors[:_SAID])}",
                           hint="Mend them, or predict without --strict; --rejects FILE leaves such rows out.")


def guard(library: Library, reference: str, names: Collection[str], source: Path, folder: Path, *,
          good: Path | None = None, left_out: Path | None = None) -> Guarded | None:
    """Check ``source`` for the columns ``names``; None where there is no contract or the file cannot be read.

    With ``good`` and ``left_out`` the rows that break a rule are divided from the others, into two CSV files. How many
    rows there are, what the file is called, how much is missing, and whether keys occur twice does not matter here.
    """
    from mldesk.data.contracts.check import CheckedFile, check_file
    from mldesk.data.contracts.contract import Contract
    from mldesk.data.records import ImportOptions

    try:
        kept = library.contracts.get(reference.rpartition("@")[0] or reference)
    except NotFound:
        return None
    divides = good is not None and left_out is not None
    rules = tuple(replace(rule, unique=False, missing=None, severity="row" if divides and rule.severity == "error" else
                          rule.severity) for rule in Contract.from_json(kept.document).columns if rule.name in names)
    found = check_file(source, "", Contract(rules, extra="allow"), ImportOptions(), folder) if rules else None
    if not isinstance(found, CheckedFile):
        return None
    if good is not None and left_out is not None and found.verdict.bad_rows:
        found.divide(folder, good, left_out)
    findings = found.verdict.findings
    errors = tuple(item.message for item in findings
                   if item.severity == "error" or (item.severity == "row" and not divides))
    return Guarded(f"contract {kept.number} of {kept.dataset}", tuple(item.message for item in findings), errors,
                   found.verdict.bad_rows if divides else 0,
                   divides and found.verdict.bad_rows == found.verdict.rows > 0)


def keep_rejects(left_out: Path, rejects: Path) -> None:
    """Put the rows that were left out where a person wants them. Raises DiskFull, BadInput."""
    with disk_errors("the rejects file"):
        shutil.copyfile(left_out, rejects)
