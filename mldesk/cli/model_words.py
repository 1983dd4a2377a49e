"""``mldesk models note|tag``: what a person says of a version."""

from __future__ import annotations

from typing import Annotated

import typer

from mldesk.cli.face import Face, facts
from mldesk.cli.model_shown import Reference, up_to_date


def note(
    context: typer.Context, reference: Reference,
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help='What to keep; "" removes it.')] = None,
) -> None:
    """Write a note to a version, or print the one it has."""
    face = Face.of(context)
    with face.workbench() as bench:
        up_to_date(face, bench)
        version = bench.models.annotate(reference, note=text)
    if face.json:
        face.document({"model": version.label, "notes": version.notes})
    else:
        face.show(facts({"model": version.label, "notes": version.notes}))


def tag(
    context: typer.Context, reference: Reference,
    add: Annotated[list[str] | None, typer.Option("--add", "-a", metavar="T", help="May be repeated.")] = None,
    remove: Annotated[list[str] | None, typer.Option("--remove", "-r", metavar="T", help="May be repeated.")] = None,
) -> None:
    """Give tags to a version, or take them away; without either, say which it bears."""
    face = Face.of(context)
    with face.workbench() as bench:
        up_to_date(face, bench)
        version = bench.models.tag(reference, add or (), remove or ())
    if face.json:
        face.document({"model": version.label, "tags": list(version.tags)})
    else:
        face.show(facts({"model": version.label, "tags": ", ".join(version.tags) or "none"}))
