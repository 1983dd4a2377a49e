"""What a check found, as a page or a text to hand to whoever sent the files."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Iterator, Sequence

from mldesk.data.contracts.verdict import NAMED, SHOWN, Finding, Verdict

_STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2330}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin:2rem 0 .3rem}table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #d9dee7;vertical-align:top}
.rejected{color:#a3231f}.accepted{color:#1d6b3a}code{background:#f1f3f7;padding:0 .25rem}"""


def as_html(dataset: str, verdicts: Sequence[Verdict]) -> str:
    """Return one page that needs nothing else."""
    body = [f"<h1>Files for {_safe(dataset)}</h1>", f"<p>{_safe(summary(verdicts))}</p>"]
    for verdict in verdicts:
        body.append(f'<h2>{_safe(verdict.file)}: <span class="{verdict.status}">{verdict.status}</span></h2>')
        if verdict.findings:
            rows = "".join(f"<tr><td>{_safe(item.severity)}</td><td>{_safe(item.message)}</td>"
                           f"<td>{_cells(item)}</td></tr>" for item in verdict.findings)
            body.append(f"<table><tr><th></th><th>What is wrong</th><th>Where, first</th></tr>{rows}</table>")
        if verdict.suggestions:
            body.append("<p>Perhaps renamed: " + ", ".join(
                f"<code>{_safe(old)}</code> is <code>{_safe(new)}</code>"
                for old, new in verdict.suggestions.items()) + "</p>")
    return (f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Files for {_safe(dataset)}</title>'
            f"<style>{_STYLE}</style><body>{''.join(body)}</body></html>\n")


def as_text(dataset: str, verdicts: Sequence[Verdict]) -> str:
    """Return the same as lines of text."""
    lines = [f"Files for {dataset}: {summary(verdicts)}", ""]
    for verdict in verdicts:
        lines.append(f"{verdict.file}: {verdict.status}")
        lines += [f"  - {item.message}{_where(item)}" for item in verdict.findings]
        lines += [f"  - perhaps renamed: {old} is {new}" for old, new in verdict.suggestions.items()]
    return "\n".join(lines) + "\n"


def as_csv(verdicts: Sequence[Verdict]) -> str:
    """Return the offending cells, all that the verdicts name, and lines that were no rows.

    ``row`` counts the rows of the file as they were read, from 1; ``line`` is one of the file itself.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("file", "row", "line", "column", "value", "rule", "severity", "message"))
    for verdict in verdicts:
        for item in verdict.findings:
            for row, value in item.cells or ((0, ""),):
                # A spreadsheet would run what begins like a formula.
                shown = f"'{value}" if value[:1] in ("=", "+", "@", "\t") else value
                writer.writerow((verdict.file, row or "", item.line or "", item.column, shown, item.rule, item.severity,
                                 item.message))
            if item.cells and item.count > len(item.cells):
                said = (f"{item.count - len(item.cells):,} more such cells have no line: a check names {NAMED:,} at "
                        f"most, and {SHOWN} of each rule at least.")
                writer.writerow((verdict.file, "", "", item.column, "", item.rule, item.severity, said))
    return out.getvalue()


def summary(verdicts: Sequence[Verdict]) -> str:
    """Return how many files there are of each verdict."""
    return ", ".join(_counted(verdicts)) + "."


def _counted(verdicts: Sequence[Verdict]) -> Iterator[str]:
    for status in ("accepted", "rejected", "unchanged"):
        count = sum(verdict.status == status for verdict in verdicts)
        if count or status != "unchanged":
            yield f"{count:,} {status}"


def _cells(item: Finding) -> str:
    if item.line is not None:
        return f"line {item.line:,}"
    return "<br>".join(f"row {row:,}: <code>{_safe(value)}</code>" for row, value in item.cells[:SHOWN])


def _where(item: Finding) -> str:
    return f" (row {', '.join(f'{row}: {value!r}' for row, value in item.cells[:SHOWN])})" if item.cells else ""


def _safe(text: object) -> str:
    return html.escape(str(text))
