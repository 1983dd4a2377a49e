"""``mldesk models promote|rollback|stage|history|predictions``: what is in use, how it came, what it made."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from mldesk.cli import words
from mldesk.cli.face import Face
from mldesk.cli.model_shown import Name, Version, Why, up_to_date
from mldesk.core.clock import iso
from mldesk.core.errors import BadInput

STAGES = ("candidate", "archived", "none")


def promote(context: typer.Context, name: Name, version: Version, note: Why = "") -> None:
    """Make a version the one the bare name means; the one before is archived."""
    from mldesk.workbench.summaries import model_details

    face = Face.of(context)
    with face.workbench() as bench:
        up_to_date(face, bench)
        chosen = bench.models.promote(name, version, note)
    if face.json:
        face.document(model_details(chosen))
        return
    face.say(f"Version {chosen.number} of {chosen.model} is promoted: the bare name means it.")
    face.note(f"\nNext: mldesk predict {shlex.quote(chosen.model)} INPUT -o OUTPUT.csv")


def rollback(context: typer.Context, name: Name,
             version: Annotated[int | None, typer.Argument(metavar="V", min=1, help="A version's number; without it "
                                                           "the one that was promoted before.")] = None,
             note: Why = "") -> None:
    """Go back to an earlier version."""
    from mldesk.workbench.summaries import model_details

    face = Face.of(context)
    with face.workbench() as bench:
        up_to_date(face, bench)
        chosen = bench.models.rollback(name, version, note)
    face.document(model_details(chosen)) if face.json else face.say(f"{chosen.model} means {chosen.label} again.")


def stage(context: typer.Context, name: Name, version: Version,
          to: Annotated[str, typer.Argument(metavar="STAGE", help="candidate, archived or none.")],
          note: Why = "") -> None:
    """Say where a version stands; `promote` is what puts one into use."""
    from mldesk.workbench.summaries import model_details

    face = Face.of(context)
    if to not in STAGES:
        raise BadInput(f"There is no stage {to!r:.40} to set.", hint=f"The stages are {', '.join(STAGES)}; "
                       "`mldesk models promote` promotes a version.")
    with face.workbench() as bench:
        up_to_date(face, bench)
        chosen = bench.models.set_stage(name, version, "" if to == "none" else to, note)
    face.document(model_details(chosen)) if face.json else face.say(
        f"{chosen.label} is {'a ' if to == 'candidate' else ''}{to}." if chosen.stage else
        f"{chosen.label} has no stage.")


def history(context: typer.Context, name: Name) -> None:
    """Show how versions went from stage to stage, newest first."""
    face = Face.of(context)
    with face.workbench() as bench:
        up_to_date(face, bench)
        model = bench.models.get(name)
        changes = bench.models.stage_changes(name)
    if face.json:
        face.document({"model": model.name, "promoted": model.promoted, "changes": [
            {"version": item.number, "time": iso(item.time), "from": item.before or None, "to": item.after or None,
             "note": item.note} for item in changes]})
        return
    face.table(("when", "version", "from", "to", "note"),
               [(words.moment(item.time), item.number, item.before or "–", item.after or "–", item.note)
                for item in changes], right=("version",),
               empty=f"No version of {model.name} was promoted or marked yet.")


def predictions(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="M", help="A model; without it the predictions of all.")] = "",
    check: Annotated[bool, typer.Option("--check", help="Read each file: is it still what was written?")] = False,
) -> None:
    """Show which files of predictions were written: by which version, from which rows, when, and where to."""
    face = Face.of(context)
    with face.workbench() as bench:
        made = bench.predictions.made(name)
        states = [bench.predictions.state_of(item) if check else "" for item in made]
    if face.json:
        face.document({"predictions": [
            {"time": iso(item.time), "model": item.model, "manifest": item.manifest, "input": item.source,
             "input_sha256": item.source_digest, "output": item.output, "output_sha256": item.output_digest,
             "rows": item.rows, "left_out": item.left_out, "options": dict(item.options),
             **({"state": state} if check else {})} for item, state in zip(made, states, strict=True)]})
        return
    face.table(("when", "model", "rows", "input", "sha256", "output", *(("now",) if check else ())),
               [(words.moment(item.time), item.model, words.count(item.rows), item.source,
                 item.source_digest[:12], item.output, *((state,) if check else ()))
                for item, state in zip(made, states, strict=True)], right=("rows",), spare=("sha256",),
               empty="Nothing was predicted into a file yet.")
