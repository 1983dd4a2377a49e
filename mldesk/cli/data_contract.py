"""``mldesk data contract`` and ``mldesk data check``: what files must be like, and whether they are."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mldesk.cli import words
from mldesk.cli.data_clean import read_text, write_text
from mldesk.cli.data_shown import Reference
from mldesk.cli.face import Face
from mldesk.cli.failures import Failed
from mldesk.cli.interrupts import Interrupts
from mldesk.cli.outputs import Force, may_write
from mldesk.cli.rule_words import file_words, rule_words
from mldesk.core.errors import BadInput

if TYPE_CHECKING:
    from mldesk.workbench.bench import Workbench
    from mldesk.workbench.standing import Standing

_SHOWN = 5  # findings per file


def contract(
    context: typer.Context, reference: Reference,
    infer: Annotated[bool, typer.Option("--infer", help="Make one of what the rows and files are like (how many "
                                        "rows, names, dates in them), and keep it for this version and those made of "
                                        "it.")] = False,
    infer_changed: Annotated[bool, typer.Option("--infer-changed", help="Infer only the rules of columns that recipes "
                                                "changed since it was made.")] = False,
    edit: Annotated[Path | None, typer.Option("--edit", metavar="FILE", help="Keep the contract in this JSON "
                                              "file, or of a pandera schema in JSON or YAML.")] = None,
    export: Annotated[Path | None, typer.Option("--export", metavar="FILE", help="Write it as JSON, to change and "
                                                "give to --edit; .py: as a pandera schema.")] = None,
    force: Force = False,
) -> None:
    """Show what files must be like to join a dataset: the contract of a version holds for what is made of it, too."""
    from mldesk.workbench.contract_from_pandera import from_pandera, is_pandera, read_document
    from mldesk.workbench.contract_pandera import as_pandera, not_in_pandera

    if infer + infer_changed + (edit is not None) > 1:
        raise BadInput("Give one of --infer, --infer-changed and --edit.")
    face, left_out = Face.of(context), tuple[str, ...]()
    with face.workbench() as bench:
        may_write(bench, export, force)
        service = bench.contracts
        if edit is not None:
            document = read_document(read_text(edit, "contract"), yaml=edit.suffix.lower() in (".yaml", ".yml"))
            if is_pandera(document):
                document, left_out = from_pandera(document)
            found = service.edit(reference, document)
        elif infer or infer_changed:
            found = service.infer(reference, only_changed=infer_changed)
        else:
            found = service.show(reference)
    kept, document = found.kept, found.document
    if export is not None:
        text = as_pandera(document) if export.suffix == ".py" else \
            json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        write_text(export, text)
    unsaid = not_in_pandera(document) if export is not None and export.suffix == ".py" else ()
    if face.json:
        face.document({"dataset": kept.dataset, "number": kept.number, "contract": dict(document),
                       "made_for": kept.version, "version": found.version.number, "changed": list(found.changed),
                       "left_out": list(left_out), "not_exported": list(unsaid)})
        return
    face.table(("column", "type", "rules"), [
        (rule["name"], rule["type"], rule_words(rule)) for rule in document["columns"][:200]])
    if said := file_words(document):
        face.say(f"A file: {said}.")
    if left_out:
        face.note(f"! A contract has no place for {', '.join(left_out[:8])}{' …' if left_out[8:] else ''}.")
    if unsaid:
        face.note(f"! A pandera schema cannot say {', '.join(unsaid[:8])}{' …' if unsaid[8:] else ''}.")
    if found.changed:
        face.note(f"! {changed_words(found)}")
    made_for = "" if kept.version == found.version.number else f", made for version {kept.version}"
    face.note(f"{found.label}{made_for}" + (f", written to {export}" if export else ""))
    if infer or infer_changed:
        face.note(f"\nNext: mldesk data check FILE {shlex.quote(kept.dataset)} · "
                  f"mldesk data contract {shlex.quote(kept.dataset)} --export FILE.json")


def changed_words(found: Standing) -> str:
    """Say which columns are asked for their type only, and the way on."""
    many = words.plural(len(found.changed), "column")
    shown = ", ".join(found.changed[:6]) + (" …" if len(found.changed) > 6 else "")
    return (f"{many} changed since version {found.kept.version}, for which it was made ({shown}): asked for "
            f"{'its' if len(found.changed) == 1 else 'their'} type only. `mldesk data contract "
            f"{shlex.quote(found.version.label)} --infer-changed` infers their rules anew.")


def untold_words(sources: Sequence[str]) -> str:
    """Say that files may be in the dataset already, where its sources left no digests."""
    shown = ", ".join(sources[:3]) + (" …" if sources[3:] else "")
    return (f"Whether one of these files is in the dataset already cannot be told of what came from {shown}: the "
            "digests of those files were not kept.")


def _for_imported(bench: Workbench, at: Standing) -> str:
    """Say how files are checked as they were imported, where the contract is of a version that a recipe made."""
    line = bench.datasets.line_of(at.version)
    if not any(version.recipe for version in line):
        return ""
    said = f"These are the rules of {at.version.label}, which a recipe made. Files as they were imported are checked"
    earlier = line[-1].label
    if at.inherited:
        earlier = f"{at.version.dataset}@{at.kept.version}"
    elif not bench.contracts.holds(earlier):
        return (f"{said} by a contract of {earlier}, which has none: `mldesk data contract {shlex.quote(earlier)} "
                "--infer` makes one.")
    return f"{said} with --contract {shlex.quote(earlier)}."


def _whose(bench: Workbench, files: list[Path], name: str) -> tuple[list[Path], str]:
    """Return the files and the dataset: the last word, unless it was named. Raises BadInput, NotFound."""
    if name:
        return files, name
    if len(files) < 2 or files[-1].exists():
        raise BadInput("Nobody said whose contract is to be kept.",
                       hint="Name the dataset after the files: `mldesk data check new.csv sales`.")
    bench.datasets.show(str(files[-1]))
    return files[:-1], str(files[-1])


def _renames(bench: Workbench, name: str, pairs: Sequence[str]) -> dict[str, str]:
    """Return what files call a column: what the contract calls it. Raises BadInput, NotFound."""
    from mldesk.data.near import which_column

    found: dict[str, str] = {}
    known = [rule.name for rule in bench.contracts.show(name).contract.columns] if pairs else []
    for pair in pairs:
        # either name may hold the mark
        cuts = [(pair[:place], pair[place + 1:]) for place, letter in enumerate(pair) if letter == "="]
        old, new = next(((old, new) for old, new in cuts if new in known), ("", ""))
        if not old:
            said = pair.rpartition("=")[2]
            raise BadInput(f"The contract has no column {said!r:.80}." if cuts else f"{pair!r:.80} names no column.",
                           hint=which_column(said, known) if cuts else "Write it as OLD=NEW, like --rename Qty=amount.")
        if old in found or new in found.values():
            twice = old if old in found else new
            raise BadInput(f"--rename says {twice!r:.80} twice.", hint="Leave one of them out.")
        found[old] = new
    return found


def check(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILES… N", help="Files, or folders and zip "
                                                "archives of those; then the dataset, N or N@V, whose contract they "
                                                "must keep.")],
    name: Annotated[str, typer.Option("--contract", metavar="N", help="The dataset, where it is not the last of the "
                                      "words.")] = "",
    merge: Annotated[bool, typer.Option("--merge", help="Accepted files make the dataset's next version; files that "
                                        "were imported or merged into it before are skipped.")] = False,
    quarantine: Annotated[Path | None, typer.Option(metavar="DIR", help="Copy rejected files there, with a "
                                                    "report; a name like bad.zip makes an archive.")] = None,
    rejects: Annotated[Path | None, typer.Option(metavar="FILE", help="Write what is wrong: .html, .txt, or .csv with "
                                                 "a line per cell, by its row as it was read (from 1) or its line in "
                                                 "the file.")] = None,
    sheet: Annotated[str | None, typer.Option(metavar="S", help="Of workbooks; else the one that the dataset was "
                                              "imported from, or the one with the most cells.")] = None,
    renames: Annotated[list[str] | None, typer.Option("--rename", metavar="OLD=NEW", help="What a file calls OLD is "
                                                      "the contract's NEW; may be repeated.")] = None,
    force: Force = False,
) -> None:
    """Check files against the contract of a dataset. Exit code 1 when one is rejected."""
    from mldesk.workbench.contract_report import as_csv, as_html, as_text, summary

    face = Face.of(context)
    with Interrupts() as interrupts, face.workbench() as bench:
        may_write(bench, rejects, force)
        files, name = _whose(bench, files, name)
        found = bench.contracts.check(name, files, merge=merge, quarantine=quarantine, cancelled=interrupts.asked,
                                      renames=_renames(bench, name, renames or ()),
                                      reading={} if sheet is None else {"sheet": sheet},
                                      every_cell=rejects is not None and rejects.suffix.lower() == ".csv")
        way_on = _for_imported(bench, found.standing) if found.rejected and found.standing is not None else ""
    if rejects is not None:
        kind = rejects.suffix.lower()
        write_text(rejects, as_html(found.dataset, found.verdicts) if kind in (".html", ".htm") else
                   as_csv(found.verdicts) if kind == ".csv" else as_text(found.dataset, found.verdicts))
    if face.json:
        face.document({"dataset": found.dataset, "contract": found.contract, "rejected": found.rejected,
                       "version": None if found.version is None else found.version.number,
                       "untold": list(found.untold), "files": [verdict.to_json() for verdict in found.verdicts]})
    else:
        for verdict in found.verdicts:
            bad = words.plural(verdict.bad_rows, "row") if verdict.bad_rows else ""
            face.say(f"{verdict.file}: {verdict.status}" + (
                f", without {bad}" if bad and verdict.accepted else
                f", {bad} of {verdict.rows:,} with something wrong" if bad else ""))
            for item in verdict.findings[:_SHOWN]:
                first = f" (row {item.cells[0][0]:,}: {item.cells[0][1]!r})" if item.cells and item.cells[0][1] else ""
                face.say(f"  {item.severity}: {item.message}{first}")
            if len(verdict.findings) > _SHOWN:
                face.say(f"  and {len(verdict.findings) - _SHOWN:,} more")
            for old, new in verdict.suggestions.items():
                face.say(f"  perhaps {old!r} is {new!r}")
        if found.untold:
            face.note(f"! {untold_words(found.untold)}")
        if way_on:
            face.note(f"! {way_on}")
        face.note(summary(found.verdicts) + (f" {found.version.label} has them now." if found.version else ""))
        if found.rejected:
            face.note(f"\nLater: mldesk data checks {shlex.quote(found.dataset)} · mldesk data accept "
                      f"{shlex.quote(found.dataset)} NUMBER --why TEXT")
    if found.rejected:
        raise Failed(1)
