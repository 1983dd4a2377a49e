"""``mldesk runs``: look at runs, follow them, steer them."""

from __future__ import annotations

import shlex
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mldesk.cli import words
from mldesk.cli.face import Face, facts
from mldesk.cli.failures import INTERRUPTED, Failed
from mldesk.cli.following import RunDisplay
from mldesk.cli.interrupts import Interrupts
from mldesk.cli.outputs import Force, may_write
from mldesk.cli.run_at import at
from mldesk.cli.run_compare import compare
from mldesk.cli.run_evaluation import evaluation
from mldesk.cli.run_files import files
from mldesk.cli.run_import import import_
from mldesk.cli.run_logs import logs
from mldesk.cli.run_predictions import predictions
from mldesk.cli.run_script import script
from mldesk.cli.run_split import split
from mldesk.cli.run_steering import Reference, cancel, extend, finish_, learning_rate, move, pause, resume
from mldesk.cli.run_trial import trial
from mldesk.cli.search import SHOWN, show_leaderboard, told
from mldesk.cli.train import finish, show_result
from mldesk.cli.watching import how_to_go_on, starts, waits_for
from mldesk.cli.when import standing
from mldesk.core.errors import BadInput, NotFound
from mldesk.training.metric_words import title

if TYPE_CHECKING:
    pass

app = typer.Typer(help="List, follow, steer and compare runs.")


@app.command("list")
def list_(
    context: typer.Context,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=100_000, help="How many, newest first.")] = 50,
    find: Annotated[str, typer.Option(metavar="TEXT", help="Words that must each occur in a run's name, dataset, "
                                      "target, estimator, tags, group or note.")] = "",
    tag: Annotated[list[str] | None, typer.Option(metavar="T", help="With this tag; may be repeated.")] = None,
    group: Annotated[str, typer.Option(metavar="G", help="In this group.")] = "",
    dataset: Annotated[str, typer.Option(metavar="N[@V]", help="Of this dataset.")] = "",
    target: Annotated[str, typer.Option(metavar="C", help="That predict this column.")] = "",
    model: Annotated[str, typer.Option(metavar="M", help="Of this kind of model, as `models kinds` names it.")] = "",
    kind: Annotated[str, typer.Option(metavar="K", help="train, search, script, explain, import or imported.")] = "",
    inside: Annotated[str, typer.Option(metavar="RUN", help="Parts of this run, of those that were imported.")] = "",
    score: Annotated[list[str] | None, typer.Option(metavar="S<X", help="With such a score on the test rows, like "
                                                    "'roc_auc>=0.9' or 'log_loss<0.4'; may be repeated.")] = None,
    status: Annotated[list[str] | None, typer.Option(metavar="S", help="In this state, as the list writes it; may be "
                                                     "repeated.")] = None,
    view: Annotated[str, typer.Option(metavar="V", help="As a saved view says; `mldesk runs views` lists them.")] = "",
    save_view: Annotated[str, typer.Option("--save-view", metavar="V", help="Keep these choices under a name.")] = "",
    output: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write all of them as CSV, with a column "
                                                "for every metric and parameter.")] = None,
    force: Force = False,
) -> None:
    """List runs, newest first."""
    from mldesk.core.run_filter import RunFilter

    face = Face.of(context)
    asked = RunFilter(text=find, tags=tuple(tag or ()), group=group, dataset=dataset,
                      target=target, estimator=model, kind=kind, scores=tuple(map(_bound, score or [])),
                      states=tuple(_states(status or [])))
    with face.workbench() as bench:
        may_write(bench, output, force)
        if inside:
            asked = replace(asked, parent=bench.runs.get(inside).id)
        troubles = bench.runs.refresh()
        wanted = bench.book.view(view) if view else asked
        if save_view:
            bench.book.save_view(save_view, wanted)
        runs = bench.book.find(wanted, limit=None if output else limit)
        if output is not None:
            bench.book.export(runs, output)
        runners = bench.runners.list()
    for trouble in troubles:
        face.note(f"! {trouble}")
    if face.json:
        from mldesk.workbench.summaries import run_details

        face.document({"runs": [run_details(run) for run in runs]})
        return
    if output is not None:
        face.say(f"Wrote {words.plural(len(runs), 'run')} to {output}.")
        return
    from mldesk.workbench.comparison import leading_metric

    now = time.time()
    leading = {run.id: leading_metric(run) for run in runs}
    silent = {item.name for item in runners if item.unreachable is not None}
    face.table(("run", "name", "status", "runner", "dataset", "model", "score", "time", "started", "tags"),
               [(run.id, f"↳ {run.name}" if run.parent else run.name, standing(run, now),
                 f"{run.runner}{' (unreachable)' if run.runner in silent and not run.state.final else ''}", run.dataset,
                 run.model or run.estimator,
                 "" if (best := leading[run.id]) is None else f"{title(best[0])} {words.score(best[1])}",
                 words.duration(run.seconds), words.lately(run.created, now), ", ".join(run.tags)) for run in runs],
               right=("time",), spare=("tags", "started", "dataset", "time", "model", "runner"),
               empty="No run is like that." if wanted != RunFilter() else
               "No runs yet. Start one: mldesk train DATASET --target COLUMN")


def _bound(text: str) -> str:
    """Return a condition on a score with the name that runs keep it under. Raises BadInput."""
    from mldesk.core.run_filter import ScoreBound
    from mldesk.training.metric_words import METRICS, find_metric

    bound = ScoreBound.read(text)
    return str(replace(bound, metric=find_metric(bound.metric, tuple(METRICS)) or bound.metric))


@app.command()
def groups(context: typer.Context) -> None:
    """List the groups and tags that runs were given, and how many runs each has."""
    face = Face.of(context)
    with face.workbench() as bench:
        tags, found = bench.book.labels()
    if face.json:
        face.document({"groups": found, "tags": tags})
        return
    face.table(("kind", "name", "runs"), [(kind, name, words.count(count)) for kind, names in (
        ("group", found), ("tag", tags)) for name, count in names.items()], right=("runs",),
        empty="No run has a group or a tag yet. Give one: mldesk runs note RUN --group G, mldesk runs tag RUN --add T")


def _states(given: list[str]) -> list[str]:
    from mldesk.wire.states import JobState
    from mldesk.workbench.references import did_you_mean, listed

    known = [state.value for state in JobState]
    for name in given:
        if name not in known:
            raise BadInput(f"There is no state {name!r:.40}.", hint=did_you_mean(name, known) or
                           f"There are: {listed(known, 20)}.")
    return given


@app.command()
def views(
    context: typer.Context,
    remove: Annotated[str, typer.Option(metavar="V", help="Forget this one first.")] = "",
) -> None:
    """List the saved views of `runs list`."""
    face = Face.of(context)
    with face.workbench() as bench:
        if remove:
            bench.book.remove_view(remove)
        found = bench.book.views()
    if face.json:
        face.document({"views": {name: wanted.to_json() for name, wanted in found.items()}})
        return
    face.table(("view", "shows"), [(name, "  ".join(f"{key}: {words.cell(value)}" for key, value in
                                                      wanted.to_json().items())) for name, wanted in found.items()],
               empty="No views yet. Save one: mldesk runs list --tag T --save-view NAME")


@app.command()
def tag(
    context: typer.Context,
    references: Annotated[list[str], typer.Argument(metavar="RUN", help="Runs.")],
    add: Annotated[list[str] | None, typer.Option("--add", "-a", metavar="T", help="May be repeated.")] = None,
    remove: Annotated[list[str] | None, typer.Option("--remove", "-r", metavar="T", help="May be repeated.")] = None,
) -> None:
    """Give tags to runs, or take them away; without either, say which they bear."""
    face = Face.of(context)
    with face.workbench() as bench:
        try:
            runs = bench.book.tag(references, add or (), remove or ())
        except NotFound as error:
            if references[1:] and not add and not remove:   # `tag RUN good`, as other programs have it
                error.hint += (f" To give a run a tag: `mldesk runs tag {shlex.quote(references[0])} --add "
                               f"{shlex.quote(references[-1])}`.")
            raise
    if face.json:
        face.document({"runs": [{"run": run.id, "tags": list(run.tags)} for run in runs]})
        return
    face.table(("run", "name", "tags"), [(run.id, run.name, ", ".join(run.tags)) for run in runs])


@app.command()
def note(
    context: typer.Context, reference: Reference,
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help='What to keep; "" removes it.')] = None,
    group: Annotated[str | None, typer.Option(metavar="G", help='Put it into a group; "" takes it out.')] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Call it something else.")] = None,
) -> None:
    """Write a note to a run, put it into a group, or rename it; without any, print the note."""
    face = Face.of(context)
    with face.workbench() as bench:
        run = bench.book.annotate(reference, name=name, note=text, group=group)
    if face.json:
        face.document({"run": run.id, "name": run.name, "note": run.note, "group": run.group,
                       "tags": list(run.tags)})
        return
    face.show(facts({"run": run.id, "name": run.name, "group": run.group, "note": run.note}))


@app.command()
def rename(
    context: typer.Context, reference: Reference,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name that no other run has.")],
) -> None:
    """Call a run something else."""
    face = Face.of(context)
    with face.workbench() as bench:
        before = bench.runs.get(reference)
        run = bench.book.annotate(before.id, name=name)
    face.document({"run": run.id, "name": run.name}) if face.json else face.say(f"{before.name} is {run.name} now.")


@app.command()
def show(context: typer.Context, reference: Reference) -> None:
    """Show a run: its state, its result, what it was asked."""
    from mldesk.workbench.summaries import run_details

    face = Face.of(context)
    with face.workbench() as bench:
        for trouble in bench.runs.refresh(reference):
            face.note(f"! {trouble}")
        run = bench.runs.get(reference)
        looks, place = bench.book.looks(run.id)
        family = bench.book.family(run.id)
        kept = bench.scripts.kept(run.id) if run.kind in ("script", "imported") else {}
        intervals = bench.judging.intervals(run.id)
        silent = next((item.unreachable for item in bench.runners.list() if item.name == run.runner), None)
        tried = bench.searches.leaderboard(run.id) if run.kind == "search" else []
    if face.json:
        face.document({**run_details(run), "intervals": intervals, "looks": looks, "files": sorted(kept),
                       "runs_inside": [part.id for part in family.inside],
                       **({"leaderboard": told(tried)} if run.kind == "search" else {})})
        return
    if run.result is not None:
        show_result(face, run, intervals)
        face.say()
    details = run_details(run)
    face.show(facts({
        "status": ", ".join(filter(None, (
            run.state.value + (f" ({run.cause.value})" if run.cause and run.cause.value != run.state.value else ""),
            starts(run)))), "why": run.message,
        "hint": run.hint, "stage": "" if run.state.ended else run.stage, "dataset": run.dataset, "target": run.target,
        "estimator": "" if run.result is not None else run.estimator,
        "runner": run.runner + (f", unreachable since {words.moment(silent)}" if silent is not None else ""),
        "created": words.moment(run.created), "finished": words.moment(run.finished),
        "events": words.count(run.last_seq),
        "test rows": f"run {place} of {looks} that looked at them" if looks else "", "group": run.group,
        "tags": ", ".join(run.tags), "note": run.note,
        "part of": "" if family.parent is None else f"{family.parent.name} ({family.parent.id})",
        "runs inside": ", ".join(part.name for part in family.inside),
        "files": f"{words.plural(len(kept), 'file')}: mldesk runs files {run.id}" if kept else "",
        "trials": "" if run.kind != "search" else
                  words.plural(len(tried), "trial") + f"{'' if run.state.final else ' by now'}: mldesk runs trial "
                  f"{run.id}",
        "parameters": words.parameters(details["parameters"])}))
    if tried and not run.state.final:
        face.say()
        show_leaderboard(face, tried, SHOWN)


@app.command()
def follow(
    context: typer.Context, reference: Reference,
    after: Annotated[int, typer.Option(metavar="N", min=0, help="Begin after this sequence number.")] = 0,
) -> None:
    """Follow a run to its end; Ctrl-C stops watching, the run goes on. With --json one event per line.

    `runs show` lists the best trials of a search that goes on.
    """
    face = Face.of(context)
    with Interrupts() as interrupts, face.workbench() as bench:
        run = bench.runs.get(reference)
        with RunDisplay(face, run.name, starts(run), lambda: waits_for(bench, run.id)) as display:
            for event in bench.runs.follow(run.id, after, trouble=display.trouble, stop=interrupts.asked):
                face.line(event.to_json()) if face.json else display.event(event)
        run = bench.runs.get(run.id)
        if not run.state.ended:
            face.note(f"Stopped watching; run {run.name} goes on: {how_to_go_on(run)}")
            raise Failed(INTERRUPTED)
        if not face.json:
            finish(face, bench, run)
        elif run.result is None:
            raise Failed(1)


@app.command()
def events(
    context: typer.Context, reference: Reference,
    after: Annotated[int, typer.Option(metavar="N", min=0, help="Begin after this sequence number.")] = 0,
) -> None:
    """Print what a run has said so far. With --json one event per line."""
    face = Face.of(context)
    with face.workbench() as bench:
        for trouble in bench.runs.refresh(reference):
            face.note(f"! {trouble}")
        while batch := bench.runs.events(reference, after):
            for event in batch:
                if face.json:
                    face.line(event.to_json())
                else:
                    rest = "  ".join(f"{name}={words.cell(value)[:120]}" for name, value in event.payload.items())
                    face.say(f"{event.seq:>6}  {event.to_json()['time']}  {event.kind:<11}  {rest}".rstrip())
            after = batch[-1].seq


@app.command()
def report(
    context: typer.Context,
    references: Annotated[list[str], typer.Argument(metavar="RUN", help="One run or search; several are compared.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write: .html or .pdf.")],
    force: Force = False,
) -> None:
    """Write a report that needs nothing else to be read: data, settings, curves, scores, errors, log."""
    face = Face.of(context)
    with face.workbench() as bench:
        for reference in references:
            bench.runs.refresh(reference)
        may_write(bench, output, force)
        path = bench.reports.write(references, output)
    size = path.stat().st_size
    face.document({"file": str(path), "size": size, "runs": references}) if face.json else face.say(
        f"Wrote {path} ({words.size(size)}).")


app.command()(cancel)
app.command("finish")(finish_)
app.command()(resume)
app.command()(pause)
app.command("learning-rate")(learning_rate)
app.command()(extend)
app.command()(move)
app.command()(at)
app.command()(compare)
app.command()(evaluation)
app.command()(files)
app.command()(logs)
app.command()(predictions)
app.command()(script)
app.command()(split)
app.command()(trial)
app.command("import")(import_)
