"""``mldesk data clean --preview``: what a recipe would do to a table, before any version is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mldesk.cli import words
from mldesk.cli.data_shown import step_told
from mldesk.cli.face import Face
from mldesk.core.errors import BadInput

if TYPE_CHECKING:
    from mldesk.cli.interrupts import Interrupts
    from mldesk.workbench.bench import Workbench
    from mldesk.workbench.pages import Page, RecipePage

_ROWS = 5   # that are shown before and after


def preview(face: Face, bench: Workbench, interrupts: Interrupts, reference: str, steps: Sequence[Any],
            left: Sequence[tuple[int, Any, str]], seconds: float | None = None) -> None:
    """Count over all rows and show the first ones; ``left`` are the steps that are left to the model.

    ``seconds``: how long that may take; None: as the library says.
    """
    if not steps and not left:
        raise BadInput("The recipe has no steps.", hint='Write {"steps": [{"step": "drop", "columns": [...]}]}.')
    version = bench.datasets.show(reference)
    before = bench.datasets.preview(reference, rows=_ROWS)
    after = bench.cleaning.preview_recipe(reference, steps, rows=_ROWS, whole=True, cancelled=interrupts.asked,
                                          seconds=seconds)
    if face.json:
        face.document(_document(version.label, before, after, left))
        return
    numbers = [number for number, step in enumerate(steps, start=1) if not step.get("disabled")]
    face.table(("no.", "step", "what it is told", "rows", "cells changed"), [
        (number, report.step["step"], step_told(report.step), _change(report.rows_before, report.rows_after),
         words.count(report.cells_changed) if report.cells_changed else "")
        for number, report in zip(numbers, after.reports, strict=True)], right=("no.", "rows", "cells changed"),
        whole=("no.", "step", "rows"), empty="No step would do anything.")
    _rows(face, f"\n{version.label} now", before)
    _rows(face, "\nafter the recipe", after)
    for notice in after.notices:
        face.note(f"! {notice}")
    for number, step, instead in left:
        face.note(f"Step {number} ({step['step']}) was skipped: {instead}, from its training rows only.")
    face.note("\nNo version was made; without --preview one is.")


def _rows(face: Face, title: str, page: Page) -> None:
    face.say(f"{title}: {words.plural(page.total, 'row')}, {words.plural(len(page.columns), 'column')}"
             f"{f'; the first {len(page.rows)}' if page.total > len(page.rows) else ''}")
    face.grid(page.columns, page.rows)


def _change(before: int, after: int) -> str:
    return words.count(before) if before == after else f"{words.count(before)} → {words.count(after)}"


def _document(label: str, before: Page, after: RecipePage, left: Sequence[tuple[int, Any, str]]) -> dict[str, Any]:
    return {"of": label, "rows_before": before.total, "rows_after": after.total,
            "steps": [{"step": report.step["step"], "rows_before": report.rows_before,
                       "rows_after": report.rows_after, "cells_changed": report.cells_changed}
                      for report in after.reports],
            "columns": [{"name": name, "type": kind} for name, kind in zip(after.columns, after.types, strict=True)],
            "before": before.to_json(), "after": after.to_json(), "notices": list(after.notices),
            "left_to_model": [number for number, _, _ in left]}
