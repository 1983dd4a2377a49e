"""``mldesk runs compare``: runs side by side, whether they differ by more than luck, and the 5x2cv test of two."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mldesk.cli import words
from mldesk.cli.face import Face, make_table, width
from mldesk.cli.failures import INTERRUPTED, Failed
from mldesk.cli.interrupts import Interrupts
from mldesk.cli.outputs import Force, may_write
from mldesk.core.spans import span
from mldesk.training.metric_words import title

_CLASSES = 60   # lines of F1 by class
_SEEN = 10   # rows that one model alone has right, in the command that shows them

if TYPE_CHECKING:
    from mldesk.workbench.bench import Workbench
    from mldesk.workbench.class_deltas import ClassScore
    from mldesk.workbench.five_by_two import FiveByTwo


def compare(
    context: typer.Context,
    references: Annotated[list[str], typer.Argument(metavar="RUN", help="Two or more runs.")],
    against: Annotated[str, typer.Option("--against", metavar="RUN", help="The one of them that the others are set "
                                         "against row by row and class by class; the first, unless you say.")] = "",
    five: Annotated[bool, typer.Option("--5x2cv", help="Of two runs: train both five times on two folds, unless that "
                                       "was done, and test the difference.")] = False,
    runner: Annotated[str, typer.Option(metavar="R", help="The machine that does those ten runs.")] = "local",
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait for them; the same command shows the "
                                         "result.")] = False,
    output: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write them as CSV, too: a line for "
                                                "each, a column for every score and parameter.")] = None,
    force: Force = False,
) -> None:
    """Put runs side by side: what differs, and which is best in what, if by more than luck.

    A ★ is the best by more than luck: 95 % of the paired bootstrap of its difference to the next leaves out zero. Runs
    with `--folds` on the same folds are tested over them, too; ten runs of two settings with `--folds 2` and the same
    five seeds by the 5x2cv test, which `--5x2cv` does from beginning to end.
    """
    face = Face.of(context)
    with face.workbench() as bench:
        may_write(bench, output, force)
        for reference in references:
            bench.runs.refresh(reference)
        found = bench.judging.compare(references)
        goes_on = next((run.id for run in map(bench.runs.get, references) if not run.state.ended), "")
        pairs = bench.judging.paired(references, against)
        classes = bench.judging.class_deltas(references, against)
        if output is not None:
            bench.book.export([bench.runs.get(reference) for reference in references], output)
        looks = [bench.book.looks(run["run"])[0] for run in found["runs"]]
        together = bench.book.looks_together(references) if found["comparable"] else None
        changed = bench.scripts.between(references)
        test = _five_by_two(face, bench, references, runner, detach=detach) if five else None
    if face.json:
        face.document({**found, "paired": pairs, "classes": [item._asdict() for item in classes],
                       "looks": looks, "looks_together": together,
                       **({} if changed is None else {"script_diff": changed}),
                       **({} if test is None else {"five_by_two": test.to_json()})})
        return
    _side_by_side(face, found)
    if told := found["verdicts"]:
        luck = [title(metric) for metric, verdict in told.items() if verdict == "unclear"]
        if "clear" in told.values():
            face.say("★ the best, by more than luck.")
        if luck:
            face.say(f"No clear difference between the best two in {_no_clear(luck, told)}.")
    _against_one(face, found, pairs)
    _by_class(face, found, classes)
    if changed is not None:
        face.say("\nWhat changed in the script (- went, + came):\n" + changed.rstrip("\n") if changed else
                 "\nThe script is the same.")
    if output is not None:
        face.note(f"Wrote {words.plural(len(found['runs']), 'run')} to {output}.")
    if (together or 0) > 1:   # None: they are not the same rows, which a warning says
        face.note(f"· Their test rows have been looked at by {together} runs; the more look, the more the best score "
                  "flatters.")
    for warning in found["warnings"]:
        face.note(f"! {warning}")
    if test is not None:
        _show_test(face, test)
    face.note(f"\nNext: mldesk runs follow {goes_on}" if goes_on else   # there are reports of what has ended only
              f"\nNext: mldesk runs report {' '.join(map(shlex.quote, references))} -o FILE.html")


def _by_class(face: Face, found: Mapping[str, Any], classes: Sequence[ClassScore]) -> None:
    """Print F1 of every class, and by how many points it differs from that of the run they are set against."""
    if not classes:
        return
    from mldesk.workbench.class_deltas import most_moved

    names = {run["run"]: run["name"] for run in found["runs"]}
    base = next(item.run for item in classes if item.delta is None)
    face.say()
    shown = most_moved(classes, _CLASSES)
    these = "of each class" if len(shown) == len(classes) else "of the classes that differ most"
    face.say(f"F1 {these}, and by how many points it differs from {names[base]}:")
    face.show(make_table(("class", "run", "F1", "points"), [
        (item.label, names[item.run], f"{100 * item.f1:.1f}%", "" if item.delta is None else f"{100 * item.delta:+.1f}")
        for item in shown], right={"F1", "points"}))
    if len(classes) > len(shown):
        face.say(f"and {words.plural(len(classes) - len(shown), 'line')} more; `--json` has all.")


def _against_one(face: Face, found: Mapping[str, Any], pairs: list[Mapping[str, Any]]) -> None:
    """Say of each other run whether it differs from the one they are set against beyond luck, row by row."""
    names = {run["run"]: run["name"] for run in found["runs"]}
    if crossed := found["crossed"]:
        _over_folds(face, crossed, f"The runs of {names[crossed['first'][0]]}", names[crossed["second"][0]])
    for pair in pairs:
        if pair["folds"]:
            _over_folds(face, pair["folds"], names[pair["run"]], names[pair["against"]])
        if pair["why_not"]:
            continue
        face.say()
        face.say(f"{names[pair['run']]} less {names[pair['against']]}, on the same "
                 f"{words.plural(pair['rows'], 'test row')} (95 %, bootstrap of the difference):")
        face.show(make_table(("score", "difference lies in", ""), [
            (title(name), " to ".join(span(edges["low"], edges["high"])), "◂ more than luck" if edges["sure"] else "")
            for name, edges in pair["differences"].items()], right={"difference lies in"}))
        if (test := pair["mcnemar"]) is not None:
            face.say(f"Right where the other is wrong: {words.count(test['only_first'])} against "
                     f"{words.count(test['only_second'])} rows; McNemar p = {test['p']:.3g}")
            dataset = next(run["dataset"] for run in found["runs"] if run["run"] == pair["run"])
            for who, side in ((pair["run"], "first"), (pair["against"], "second")):
                if rows := test[f"rows_{side}"][:_SEEN]:
                    face.say(f"  where {names[who]} alone is right: mldesk data preview {shlex.quote(dataset)} --only "
                             f"{','.join(map(str, rows))}")


def _no_clear(luck: Sequence[str], told: Mapping[str, str]) -> str:
    """Name the metrics in which the best run is no clear one."""
    return "any score" if len(luck) == len(told) > 1 else ", ".join(luck)


def _over_folds(face: Face, folds: Mapping[str, Any], first: str, second: str) -> None:
    """Say what the folds say of runs that were cross-validated on the same ones."""
    face.say()
    times = "five times the same" if folds["test"] == "5x2cv" else "the same"
    face.say(f"{first} less {second}, over {times} {words.plural(folds['folds'], 'fold')} ({folds['test']} test):")
    face.show(make_table(("score", "mean difference", "p", ""), [
        (title(name), f"{item['mean']:+.4g}", f"{item['p']:.3g}", "◂ more than luck" if item["sure"] else "")
        for name, item in folds["metrics"].items()], right={"mean difference", "p"}))


def _side_by_side(face: Face, found: Mapping[str, Any]) -> None:
    """Print a column per run; where they do not all fit, as many tables below one another as it takes."""
    from rich.cells import cell_len  # some letters are two places wide

    from mldesk.workbench.comparison import clear_best

    names = [f"{run['name']}\n{run['run'][-6:]}" for run in found["runs"]]
    rows = [(name, *(words.cell(value) for value in values)) for name, values in found["differs"].items()]
    ids = [run["run"] for run in found["runs"]]
    clear = clear_best(found)
    rows += [(title(metric), *(words.score(value) + (" ★" if clear.get(metric) == run else "  ")
                        for run, value in zip(ids, values, strict=True)))
             for metric, values in found["metrics"].items()]
    rows.append(("seconds", *(words.duration(run["seconds"]) for run in found["runs"])))
    first, *widths = (max(cell_len(line) for cell in column for line in cell.split("\n"))
                      for column in zip(("", *names), *rows, strict=True))
    shown = 0
    while shown < len(names):
        end, room = shown, width() - 1 - first
        while end < len(names) and (room := room - 3 - widths[end]) >= 0:
            end += 1
        end = max(end, shown + 1)  # one that is too wide is folded
        if shown:
            face.say()
        face.show(make_table(("", *names[shown:end]), [(row[0], *row[shown + 1:end + 1]) for row in rows],
                             right=set(names)))
        shown = end


def _five_by_two(face: Face, bench: Workbench, references: Sequence[str], runner: str, *, detach: bool) -> FiveByTwo:
    """Start what the test lacks and wait for it. Raises BadInput, Failed once somebody interrupts."""
    from mldesk.core.errors import BadInput, WorkFailed
    from mldesk.workbench.five_by_two import TRIALS

    if why := bench.cross_tests.why_not(references):
        raise BadInput(why, hint="The 5x2cv test needs two trainings of the same dataset and target.")
    first, second = references
    test = bench.cross_tests.start(first, second, runner)
    if detach:
        return test
    with Interrupts() as interrupts:
        for run in test.active:
            face.note(f"5x2cv: {test.done} of {TRIALS} runs are done, {run.name} goes on.")
            for _ in bench.runs.follow(run.id, stop=interrupts.asked):
                pass
            test = bench.cross_tests.look(first, second)
            if interrupts.asked():
                face.note("Stopped watching; the runs go on. The same command shows the result.")
                raise Failed(INTERRUPTED)
    if test.failed:
        lost = test.failed[0]
        raise WorkFailed(f"{len(test.failed)} of the test's {TRIALS} runs ended without a score: {lost.name} "
                         f"{lost.state.value}. {lost.message}".strip(),
                         hint="Mend that, and give the command again: what is done stays done.")
    return test


def _show_test(face: Face, test: FiveByTwo) -> None:
    from mldesk.workbench.five_by_two import TRIALS

    if (found := test.result) is None:
        face.say()
        face.say(f"5x2cv: {test.done} of {TRIALS} runs are done. The same command shows the result.")
        return
    _over_folds(face, found, test.first.name, test.second.name)
