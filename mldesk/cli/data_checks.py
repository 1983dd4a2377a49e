"""``mldesk data checks`` and ``mldesk data accept``: what checks said of files, and taking one in spite of it."""

from __future__ import annotations

import shlex
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mldesk.cli import words
from mldesk.cli.data_shown import Name
from mldesk.cli.face import Face, facts
from mldesk.cli.failures import Failed
from mldesk.cli.interrupts import Interrupts
from mldesk.core.clock import iso

if TYPE_CHECKING:
    from mldesk.library.checks import CheckRecord

_SHOWN = 20  # findings


def checks(
    context: typer.Context, name: Name,
    number: Annotated[int | None, typer.Argument(metavar="NUMBER", help="One of the files that are listed: what was "
                                                 "wrong with it, and where it is.")] = None,
    status: Annotated[str, typer.Option(metavar="S", help="Only accepted, rejected or unchanged ones.")] = "",
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="The newest so many.")] = 100,
) -> None:
    """List the files that were checked against a dataset's contract: when, what was said, who took them."""
    face = Face.of(context)
    with face.workbench() as bench:
        if number is not None:
            record = bench.checked.get(name, number)
            _show(face, name, record, str(bench.checked.where(record) or ""))
            return
        listed = bench.checked.list(name, status=status, limit=limit)
    if face.json:
        face.document({"dataset": name, "files": [as_json(record) for record in listed]})
        return
    face.table(("number", "file", "verdict", "rows", "why", "contract", "checked"),
               [(item.number, PurePath(item.path).name, verdict_words(item), words.count(item.rows),
                 item.findings[0]["message"] if item.findings else "", item.contract, words.moment(item.time))
                for item in listed], right=("number", "rows", "contract"), spare=("contract", "checked"),
               empty=f"No file was checked yet. Try: mldesk data check FILE {shlex.quote(name)}")


def accept(
    context: typer.Context, name: Name,
    numbers: Annotated[list[int], typer.Argument(metavar="NUMBER…", help="Of `mldesk data checks N`.")],
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason, which is kept with your name.")],
) -> None:
    """Take files in spite of what a check said: all their rows make the next version; what does not fit is missing."""
    face = Face.of(context)
    with Interrupts() as interrupts, face.workbench() as bench:
        done = bench.checked.accept(name, numbers, why, cancelled=interrupts.asked)
    if face.json:
        face.document({"dataset": name, "version": None if done.version is None else done.version.number,
                       "taken": [as_json(record) for record in done.taken],
                       "left": [{"number": record.number, "why": reason} for record, reason in done.left]})
    else:
        for record, reason in done.left:
            face.say(f"{PurePath(record.path).name} was not taken: {reason.rstrip('.')}.")
        if done.version is not None:
            face.say(f"{done.version.label} has the rows of {words.plural(len(done.taken), 'file')} more now: "
                     f"{words.count(done.version.rows)}.")
    if done.left:
        raise Failed(1)


def verdict_words(record: CheckRecord) -> str:
    """Say what became of a file."""
    if record.decided is not None:
        return f"taken by hand, in version {record.version}"
    return record.status + (f", in version {record.version}" if record.version is not None else "")


def as_json(record: CheckRecord) -> dict[str, Any]:
    """Return a file as scripts read it."""
    by_hand = None if record.decided is None else {"who": record.who, "when": iso(record.decided), "why": record.why}
    return {"number": record.number, "check": record.batch, "time": iso(record.time), "contract": record.contract,
            "file": record.path, "digest": record.digest, "status": record.status, "rows": record.rows,
            "bad_rows": record.bad_rows, "version": record.version, "aside": record.aside or None,
            "by_hand": by_hand, "findings": list(record.findings)}


def _show(face: Face, name: str, record: CheckRecord, where: str) -> None:
    if face.json:
        face.document({**as_json(record), "where": where or None})
        return
    face.show(facts({
        "file": record.path, "verdict": verdict_words(record), "checked": words.moment(record.time),
        "contract": record.contract, "rows": words.count(record.rows), "with something wrong": record.bad_rows or "",
        "put aside": record.aside, "it is": where or "gone, or has other bytes by now", "SHA-256": record.digest,
        "taken by": f"{record.who}, {words.moment(record.decided)}" if record.decided is not None else "",
        "because": record.why}))
    for item in record.findings[:_SHOWN]:
        cells = ", ".join(f"row {cell['row']:,}: {cell['value']!r}" for cell in item["cells"])
        face.say(f"  {item['severity']}: {item['message']}" + (f" ({cells})" if cells else ""))
    if record.status == "rejected" and record.version is None:
        face.note(f"\nNext: mldesk data accept {shlex.quote(name)} {record.number} --why TEXT takes it all the same.")
