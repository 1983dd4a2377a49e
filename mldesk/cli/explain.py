"""``mldesk explain``: why a model predicts what it predicts, over its test rows, or for one row that you describe."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mldesk.cli import words
from mldesk.cli.face import Face, facts, make_table
from mldesk.cli.failures import Failed
from mldesk.cli.interrupts import Interrupts
from mldesk.cli.model_shown import up_to_date
from mldesk.cli.outputs import Force, may_write
from mldesk.cli.row_numbers import explained
from mldesk.cli.watching import detached, watched
from mldesk.core.errors import BadInput
from mldesk.core.targets import check_target
from mldesk.training.metric_words import weighed_in_words, worsening

if TYPE_CHECKING:
    from mldesk.workbench.bench import Workbench
    from mldesk.workbench.what_if import Answer

_SHOWN = 15


def explain(
    context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model of the library; with --set a bundle's "
                                         "file, too.")],
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="COL=VALUE", help="Explain one row; columns "
                                                   "that are not set are those of a usual row of the data. May be "
                                                   "repeated.")] = None,
    row: Annotated[int | None, typer.Option("--row", metavar="N", min=1, help="Explain row N of what the model learned "
                                            "from, or of --data; --set changes cells of it.")] = None,
    about: Annotated[str, typer.Option(metavar="CLASS", help="Show the chance of this class, not of the "
                                                      "last one (with --set: not of the one that is predicted).")] = "",
    data: Annotated[str, typer.Option(metavar="N[@V]", help="All rows of another dataset, instead of the test "
                                       "rows.")] = "",
    part: Annotated[str, typer.Option(metavar="P", help="test, validation or train.")] = "test",
    column: Annotated[list[str] | None, typer.Option(metavar="COL", help="A column to follow, instead of the most "
                                                     "important; may be repeated.")] = None,
    rows: Annotated[int, typer.Option(metavar="N", min=1, max=5000, help="Rows that get Shapley values.")] = 100,
    shap: Annotated[str, typer.Option("--shap", metavar="WAY", help="kernel: Shapley values of any model, in the unit "
                                      "of its prediction. tree: of trees by their paths, exactly; boosted "
                                      "classes in log-odds.")] = "kernel",
    seed: Annotated[int | None, typer.Option(metavar="S", min=0, help="Of everything random; left out, that of the "
                                             "run, so that columns matter by what its evaluation says.")] = None,
    runner: Annotated[str, typer.Option(metavar="R", help="The machine that does the work.")] = "local",
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE.json", help="Write all of it.")] = None,
    force: Force = False,
    detach: Annotated[bool, typer.Option("--detach", help="Return once the runner has accepted the job.")] = False,
) -> None:
    """Say which columns matter, how each moves the prediction, and what each adds for single rows."""
    from mldesk.workbench.explained import output_of
    from mldesk.workbench.explaining import ExplainOrder

    face = Face.of(context)
    if shap not in ("kernel", "tree"):
        raise BadInput(f"There is no way {shap!r:.40} to Shapley values.", hint="Say --shap kernel or --shap tree.")
    with Interrupts() as interrupts, face.workbench() as bench:
        if set_ or row is not None:
            _one_row(face, bench, model, set_ or [], about, row, data)
            return
        if output is not None:
            check_target(output)
            may_write(bench, output, force)
        up_to_date(face, bench)
        run = bench.explaining.start(ExplainOrder(model, data, part, tuple(column or ()), rows, seed, runner,
                                                   classes=(about,) if about else ()))
        if detach:
            detached(face, run)
            return
        run = watched(face, bench, run, interrupts)
        if run.state.value != "succeeded":
            if face.json:
                face.document({"error": {"code": run.cause.value if run.cause else run.state.value,
                                         "message": run.message, "hint": run.hint}, "run": run.id})
            else:
                face.note(f"{run.message} {run.hint}".strip())
            raise Failed(1)
        found = explained(bench.explaining.explanation(run.id))
    place = output_of(found, about)
    if output is not None:
        from mldesk.core import canonical
        from mldesk.core.durable import disk_errors, write_atomic

        with disk_errors("writing the explanation"):
            write_atomic(output, canonical.dumps(found))
    face.document({"run": run.id, **found}) if face.json else _show(face, found, place, shap)
    if not face.json:
        face.note(f"\nNext: mldesk explain {shlex.quote(model)} --set COLUMN=VALUE")


def _show(face: Face, found: Mapping[str, Any], output: int, shap: str) -> None:
    from mldesk.workbench.explained import KERNEL, TREE, has_tree, pushes, why_no_tree

    if shap == TREE and not has_tree(found):
        face.note(f"! {why_no_tree(found)} Shown are Shapley values by asking the model.")
        shap = KERNEL

    rows = words.plural(found["rows"], f"{found['part']} row".strip())
    about = f"the predicted {found['target']}"
    if found["outputs"]:
        about = f"the chance that {found['target']} is {words.cell(found['outputs'][output])}"
    face.say(f"{found['model']} on {rows} of {found['dataset']}. Explained: {about}.")
    if not found["part"]:
        face.note("! Whether it learned from some of these rows is not known; on those it looks surer than it is.")
    face.say()
    how = worsening(str(found["importance_metric"]))
    pushed = {push.feature: (f"+{push.up:.4g}", f"{push.down:.4g}") for push in pushes(found, output, shap)}
    face.show(make_table(("column", "matters by", "95 %", "raises by", "lowers by"), [
        (str(item["feature"]), words.score(item["value"]),
         f"{words.score(item['low'])} to {words.score(item['high'])}", *pushed.get(str(item["feature"]), ("", "")))
        for item in found["importance"][:_SHOWN]], right={"matters by", "95 %", "raises by", "lowers by"}))
    _more(face, len(found["importance"]), "they are all in -o FILE.json, and in --json")
    face.say(f"matters by: how much {how} when the column is shuffled. raises, lowers: by what it moves "
             f"{_raw(found, about) if shap == TREE else about}, on average over "
             f"{words.plural(len(found[shap if shap == TREE else 'shap']['rows']), 'row')} "
             f"({'TreeSHAP' if shap == TREE else 'Shapley values'}).")
    if on := weighed_in_words(found.get("importance_on")):
        face.note(f"matters by: {on[0].lower()}{on[1:]}")
    others = [words.cell(label) for label in found["outputs"] if label != found["outputs"][output]]
    if others:
        face.note(f"--about {others[0]} shows another class.")
    face.say()
    curves = [curve for curve in found["dependence"] if curve["grid"]]
    face.show(make_table(("column", "lowest prediction at", "highest prediction at", "over its values"),
                         [_moved(curve, output) for curve in curves[:_SHOWN]]))
    _more(face, len(curves), "they are all in -o FILE.json, and in --json")


def _raw(found: Mapping[str, Any], about: str) -> str:
    """Name what the trees' own Shapley values add up to."""
    return f"the log-odds of it ({about})" if found["tree"]["unit"] == "log-odds" else about


def _more(face: Face, count: int, where: str) -> None:
    """Say how many lines a table was cut by."""
    if count > _SHOWN:
        face.say(f"and {words.plural(count - _SHOWN, 'more column')}; {where}")


def _moved(curve: Mapping[str, Any], output: int) -> tuple[str, str, str, str]:
    line = curve["mean"][output]
    low, high = line.index(min(line)), line.index(max(line))
    return (curve["feature"], f"{words.cell(curve['grid'][low])} ({words.score(line[low])})",
            f"{words.cell(curve['grid'][high])} ({words.score(line[high])})", words.sparkline(line, 20))


def _one_row(face: Face, bench: Workbench, model: str, given: list[str], about: str, number: int | None,
             data: str) -> None:
    from mldesk.workbench.what_if import LEVEL

    values = _values(given)
    cells = {} if number is None else bench.explaining.row(model, number - 1, data)
    tried = bench.explaining.what_if(model)
    chosen = next((label for label in tried.classes if str(label) == about), None)
    if about and chosen is None:
        raise BadInput(f"{tried.label} has no class {about!r:.60}.",
                       hint=f"It has: {', '.join(map(str, tried.classes)) or 'none, it predicts numbers'}.")
    row = tried.row({**{asked.column.name: cells[asked.column.name] for asked in tried.form
                        if asked.column.name in cells}, **values})
    answer, warnings = tried.ask(row, about=chosen), (*tried.unknown(row), *tried.broken(row))
    if face.json:
        face.document({"model": tried.label, "row": row, "prediction": answer.prediction,
                       "probabilities": {str(label): chance for label, chance in answer.probabilities},
                       "explained": answer.explained, "base": answer.base, "value": answer.value,
                       "contributions": [{"column": name, "value": value} for name, value in answer.contributions],
                       "warnings": list(warnings), "level": LEVEL, "within": list(answer.within),
                       **({} if number is None else {"of_row": number, "actual": cells.get(tried.target)})})
        return
    for warning in warnings:
        face.note(f"! {warning}")
    if number is None and tried.knows_rows and len(values) < len(row):
        face.note("· What was not set is as in a real row of the data near the middle of every column.")
    what = "" if answer.explained is None else f"chance of {answer.explained}"
    others = [str(label) for label in tried.classes if label != answer.explained]
    face.show(facts({"model": tried.label, tried.target: words.cell(answer.prediction),
                     f"in {LEVEL:.0%} of rows": _within(answer), "it was": words.cell(cells.get(tried.target))
                     if tried.target in cells else "", what: words.score(answer.value) if what else "",
                     "on average": words.score(answer.base)}))
    face.say()
    shown = answer.contributions[:_SHOWN]
    adds = words.alike([value for _, value in shown])
    face.show(make_table(("column", "value", "adds"), [
        (name, words.cell(row.get(name)), f"{'+' if value > 0 else ''}{text}")
        for (name, value), text in zip(shown, adds, strict=True)], right={"adds"}))
    _more(face, len(answer.contributions), "they are all in --json")
    if what and others:
        face.note(f"This is about {answer.explained}; --about {words.cell(others[-1])} explains another class.")


def _within(answer: Answer) -> str:
    """Write what holds the truth that often; "" where nobody knows."""
    if not answer.within:
        return ""
    return " or ".join(map(words.cell, answer.within)) if answer.probabilities else " to ".join(
        map(words.score, answer.within))


def _values(given: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not equals or not name.strip():
            raise BadInput(f"A value is written COLUMN=VALUE, not {item[:60]!r}.", hint="For instance: --set tenure=12")
        if name.strip() in found:
            raise BadInput(f"{name.strip()!r:.60} is set twice.", hint="Give each column one value.")
        found[name.strip()] = value if value != "" else None
    return found
