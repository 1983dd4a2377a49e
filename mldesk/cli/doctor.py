"""``mldesk doctor``: what this machine has, what is missing, how to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from mldesk.cli.face import Face
from mldesk.cli.failures import Failed

if TYPE_CHECKING:
    from mldesk.workbench.health import Finding

_SIGNS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "missing": ("✗", "red")}


def doctor(context: typer.Context) -> None:
    """Say what this machine has, what is missing, and how to mend it. Changes nothing."""
    from mldesk.app import examine_machine  # sqlalchemy loads with it

    face = Face.of(context)
    findings = list(examine_machine(face.options.home))
    well = all(finding.status != "missing" for finding in findings)
    if face.json:
        face.document({"ok": well, "checks": [finding.to_json() for finding in findings]} |
                      ({} if well else {"error": _error(findings)}))
    else:
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 1))
        table.add_column()
        table.add_column(style="bold")
        table.add_column(overflow="fold")
        for finding in findings:
            sign, colour = _SIGNS[finding.status]
            words = Text(finding.text)
            if finding.hint:
                words.append(f"\n→ {finding.hint}", style="dim")
            table.add_row(Text(sign, style=colour), finding.name, words)
        face.show(table)
    if not well:
        raise Failed(1)


def _error(findings: Sequence[Finding]) -> dict[str, str]:
    """Return the shape every failed command has, for the first check that failed and how many there are."""
    failed = [finding for finding in findings if finding.status == "missing"]
    more = f" {len(failed) - 1} more checks failed." if len(failed) > 1 else ""
    return {"code": "check_failed", "message": failed[0].text + more, "hint": failed[0].hint}
