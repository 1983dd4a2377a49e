"""``mldesk data lineage|tag|note|bin|purge``: what versions came of, what is said of them, and what is thrown away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from mldesk.cli import words
from mldesk.cli.asking import at_terminal, confirm
from mldesk.cli.data_shown import Name, Reference, line_shown
from mldesk.cli.face import Face, facts
from mldesk.cli.which_version import named_version
from mldesk.core.clock import iso
from mldesk.core.errors import BadInput

if TYPE_CHECKING:
    from mldesk.library.bin import Purged


def lineage(context: typer.Context, name: Name) -> None:
    """Show what each version came of, what it costs, and which models learned from it."""
    face = Face.of(context)
    with face.workbench() as bench:
        listed = bench.history.lineage(name)
        said = bench.history.words(name)
    if face.json:
        face.document({"dataset": listed[-1].version.dataset, "tags": list(said.tags), "note": said.note,
                       "versions": [item.to_json() for item in listed]})
        return
    face.table(("version", "from", "made by", "rows", "its own", "tags", "models"),
               [(f"{item.version.number}{' ◂' if item.current else ''}",
                 ", ".join([*([str(item.version.parent)] if item.version.parent else []), *item.others]),
                 words.plural(len(item.version.recipe), "step") if item.version.recipe else item.version.source,
                 words.count(item.version.rows), words.size(item.alone), ", ".join(item.words.tags),
                 ", ".join(item.models)) for item in listed], right=("rows", "its own"), spare=("models", "tags"))
    face.say()
    line_shown(face, [{"version": item.version.label, "source": item.version.source, "recipe": item.version.recipe,
                       "files": item.files} for item in listed])
    notes = [(f"{name}@{item.version.number}", item.words.note) for item in listed if item.words.note]
    for label, note in [*([(name, said.note)] if said.note else []), *notes]:
        face.note(f"{label}: {note}")


def tag(context: typer.Context, reference: Reference,
        tags: Annotated[list[str] | None, typer.Argument(metavar="TAG…", help="Words to find it by; the same as "
                                                         "--add.")] = None,
        add: Annotated[list[str] | None, typer.Option("--add", "-a", metavar="T", help="May be repeated.")] = None,
        remove: Annotated[list[str] | None, typer.Option("--remove", "-r", metavar="T", help="May be repeated.")]
        = None,
        move: Annotated[bool, typer.Option("--move", help="Take the tags from the versions that bear them: a tag names "
                                           "one version.")] = False) -> None:
    """Give tags to a dataset or one of its versions, or take them away; without either, say which it bears."""
    face = Face.of(context)
    with face.workbench() as bench:
        now = bench.history.tag(reference, [*(tags or ()), *(add or ())], remove or (), move)
    face.document({"dataset": reference, "tags": list(now)}) if face.json else \
        face.say(", ".join(now) or "no tags")


def note(context: typer.Context, reference: Reference,
         text: Annotated[str | None, typer.Argument(metavar="TEXT", help="The note; an empty one takes it away.")]
         = None) -> None:
    """Write a note about a dataset, or about one of its versions; without a text show it."""
    face = Face.of(context)
    with face.workbench() as bench:
        now = bench.history.words(reference).note if text is None else \
            bench.history.annotate(reference, note=text).note
    face.document({"dataset": reference, "note": now}) if face.json else face.say(now or "no note")


def bin_(context: typer.Context) -> None:
    """List what is in the bin, and the space that purging it would free."""
    face = Face.of(context)
    with face.workbench() as bench:
        listed = bench.history.bin()
    if face.json:
        face.document({"datasets": [{"dataset": item.name, "versions": item.versions, "removed": iso(item.removed),
                                     "size": item.size} for item in listed]})
        return
    face.table(("dataset", "versions", "removed", "would free"),
               [(item.name, item.versions, words.moment(item.removed), words.size(item.size)) for item in listed],
               right=("versions", "would free"), empty="The bin is empty.")


def _together(done: Sequence[Purged]) -> Purged:
    """Return several purges as one."""
    from mldesk.library.bin import Purged

    return Purged(tuple(name for one in done for name in one.datasets), sum(one.freed for one in done),
                  sum(one.kept for one in done), sum(one.shared for one in done), sum(one.later for one in done))


def purge(context: typer.Context,
          names: Annotated[list[str] | None, typer.Argument(metavar="N…", help="Datasets in the bin; N@V throws away "
                                                            "the rows of one old version of a dataset.")] = None,
          everything: Annotated[bool, typer.Option("--all", help="All that is in the bin.")] = False,
          yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Take datasets out of the bin, or old versions, for good. What models and runs need of them stays."""
    if bool(names) == everything:
        raise BadInput("Name datasets in the bin, or give --all.", hint="`mldesk data bin` lists what is in there.")
    face = Face.of(context)
    versions = [name for name in names or () if "@" in name]
    datasets = [name for name in names or () if "@" not in name]
    with face.workbench() as bench:
        labels = [named_version(bench, name).label for name in versions]
        meant = [*labels, *(bench.history.binned(None if everything else datasets) if everything or datasets else ())]
        if not yes and meant:
            if face.json or not at_terminal():
                raise BadInput("A purge cannot be taken back.", hint="Give --yes to say that it is meant.")
            if not confirm(f"Purge {', '.join(meant)}? This cannot be taken back."):
                raise BadInput("Nothing was purged.")
        done = _together([*map(bench.history.purge_version, labels),
                          *([bench.history.purge(None if everything else datasets)] if everything or datasets else ())])
    if face.json:
        face.document({"purged": list(done.datasets), "freed": done.freed, "kept": done.kept, "shared": done.shared,
                       "later": done.later})
        return
    needed = done.kept - done.shared
    face.show(facts({"purged": ", ".join(done.datasets) or "nothing", "freed": words.size(done.freed),
                     "kept, since others share it": words.size(done.shared) if done.shared else "",
                     "kept, since models or runs need it": words.size(needed) if needed else "",
                     "freed later, since it was used just now": words.size(done.later) if done.later else ""}))
