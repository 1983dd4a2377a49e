"""``mldesk data explore|guard``: statistics of a table, and what would spoil the scores of a model."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from mldesk.cli import row_numbers, words
from mldesk.cli.data_chart import chart_value
from mldesk.cli.data_shown import Reference
from mldesk.cli.face import Face
from mldesk.cli.interrupts import Interrupts
from mldesk.cli.train import SPLIT_HELP
from mldesk.wire.schema import Column

_SHOWN, _GROUPS = 12, 5
_MEASURES = {"pearson": "Pearson's r", "cramers_v": "Cramér's V", "correlation_ratio": "correlation ratio"}


def explore(
    context: typer.Context, reference: Reference,
    target: Annotated[str | None, typer.Option(metavar="COL", help="Show how every column lies beside this one "
                                               "instead.")] = None,
    task: Annotated[str | None, typer.Option(metavar="T", help="With --target: tabular_classification or "
                                             "tabular_regression.")] = None,
) -> None:
    """Show what goes together, is missing together, lies far off, or is there twice."""
    face = Face.of(context)
    types: Mapping[str, Column] = {}
    with Interrupts() as interrupts, face.workbench() as bench:
        made: Mapping[str, Any]
        if target is None:
            made = row_numbers.explored(bench.explore.statistics(reference, cancelled=interrupts.asked))
        else:
            made = bench.explore.target(reference, target, task, cancelled=interrupts.asked)
            types = {column.name: column for column in bench.datasets.show(reference).columns}
    if face.json:
        face.document(made)
    elif target is None:
        _statistics(face, made)
    else:
        _target(face, made, types)


def guard(
    context: typer.Context, reference: Reference,
    target: Annotated[str, typer.Option(metavar="COL", help="The column to predict.")],
    task: Annotated[str | None, typer.Option(metavar="T", help="tabular_classification or tabular_regression.")] = None,
    split: Annotated[str, typer.Option(metavar="HOW", help=SPLIT_HELP)] = "random",
    split_column: Annotated[str | None, typer.Option("--split-column", metavar="COL", help="The column that group, "
                                                     "time and column go by.")] = None,
    folds: Annotated[int, typer.Option(metavar="K", min=0, help="As `train` would.")] = 0,
    test_size: Annotated[float, typer.Option("--test-size", metavar="F", help="Share of rows for the test.")] = 0.2,
    seed: Annotated[int, typer.Option(metavar="S", min=0, help="Of the split.")] = 0,
    feature: Annotated[list[str] | None, typer.Option(metavar="COL", help="A column to learn from; may be "
                                                      "repeated.")] = None,
    without: Annotated[list[str] | None, typer.Option(metavar="COL", help="A column not to learn from; may be "
                                                      "repeated.")] = None,
) -> None:
    """Deal the rows as `train` would, and show what would make its scores say too much.

    Copies of training rows among the test rows, columns that give the target away, identifiers, classes without rows,
    and the like; each with the rows to look at, counted from 1, and which of them are alike.
    """
    from mldesk.workbench.orders import TrainOrder

    face = Face.of(context)
    order = TrainOrder(dataset=reference, target=target, task=task, split=split, split_column=split_column,
                       folds=folds, test_size=test_size, seed=seed, features=tuple(feature) if feature else None,
                       without=tuple(without or ()))
    with Interrupts() as interrupts, face.workbench() as bench:
        found = row_numbers.guarded(bench.explore.guard(order, cancelled=interrupts.asked))
    if face.json:
        face.document(found)
        return
    face.say("rows: " + ", ".join(f"{words.count(count)} {part}" for part, count in found["rows"].items()))
    if not found["concerns"]:
        face.say("Nothing to worry about was found.")
    for concern in found["concerns"]:
        face.say(f"\n{concern['level'].upper()}  {concern['text']}")
        face.say(f"  {concern['hint']}")
        _where(face, reference, concern)


def _where(face: Face, reference: str, concern: Mapping[str, Any]) -> None:
    """Say which rows are meant, those that are alike side by side, and the command that shows them."""
    groups, rows = concern["groups"][:_GROUPS], concern["rows"][:_SHOWN]
    if groups:
        for group in groups:
            face.say(f"  alike: {', '.join(_placed(group))}")
        if len(concern["groups"]) > len(groups):
            face.say("  …")
        rows = [one["row"] for group in groups for one in group[:_SHOWN]]
    elif rows:
        face.say(f"  rows: {', '.join(map(str, rows))}{' …' if len(concern['rows']) > _SHOWN else ''}")
    if rows or concern["where"]:
        chosen = f"--only {','.join(map(str, rows))}" if rows else f"--where {shlex.quote(concern['where'])}"
        face.say(f"  see them: mldesk data preview {shlex.quote(reference)} {chosen}")


def _placed(group: Sequence[Mapping[str, Any]]) -> list[str]:
    return [f"{one['row']} ({one['part']})" for one in group[:_SHOWN]] + ["…"] * (len(group) > _SHOWN)


def _statistics(face: Face, made: Mapping[str, Any]) -> None:
    pairs = sorted((pair for pair in made["associations"]["pairs"] if pair["value"] is not None),
                   key=lambda pair: -abs(pair["value"]))
    face.say("What goes together")
    face.table(("column", "and", "measure", "strength", "Spearman", "rows"),
               [(pair["a"], pair["b"], _MEASURES[pair["measure"]], f"{pair['value']:.3f}",
                 "" if pair.get("spearman") is None else f"{pair['spearman']:.3f}", words.count(pair["n"]))
                for pair in pairs[:_SHOWN]], right=("strength", "Spearman", "rows"),
               empty="No two columns can be compared.")
    if len(pairs) > _SHOWN:
        face.note(f"and {len(pairs) - _SHOWN:,} weaker pairs; --json lists all of them")
    alone = [pair for pair in made["associations"]["pairs"] if pair["value"] is None]
    if alone:
        face.note(f"{words.plural(len(alone), 'pair')} cannot be compared, as one of the two has no other value where "
                  f"both are there: {', '.join(map(_pair, alone[:3]))}{' …' if len(alone) > 3 else ''}. Then what is "
                  "missing may say it: see --target.")
    missing = made["missing"]
    if missing["columns"]:
        face.say("\nMissing together")
        face.table(("columns", "rows"), [(", ".join(item["columns"])[:100], words.count(item["rows"]))
                                         for item in missing["patterns"][:_SHOWN]], right=("rows",))
    if made["outliers"]["columns"]:
        face.say("\nFar from the rest")
        face.table(("column", "below", "above", "usual from", "to", "robust z"),
                   [(item["name"], words.count(item["below"]), words.count(item["above"]), f"{item['low']:.6g}",
                     f"{item['high']:.6g}", "" if item["robust"] is None else words.count(item["robust"]))
                    for item in made["outliers"]["columns"][:_SHOWN]],
                   right=("below", "above", "usual from", "to", "robust z"))
    _repeats(face, made["repeats"])


def _pair(pair: Mapping[str, Any]) -> str:
    return f"{pair['a']} and {pair['b']}"


def _repeats(face: Face, repeats: Mapping[str, Any]) -> None:
    same, near, apart = repeats["same"], repeats["near"], repeats["apart"]
    face.say("\nThere more than once")
    lines = [("the same in every cell", words.count(same["rows"]), _rows(same["examples"])),
             ("nearly the same", words.count(near["rows"]), _rows(near["examples"]))]
    lines += [(f"apart in {item['column']} only", words.count(item["rows"]), _rows(item["examples"]))
              for item in apart["columns"][:5]]
    face.table(("rows that are", "rows", "for example"), lines, right=("rows",))
    if near.get("without") and (near["rows"] or apart["columns"]):
        face.note(f"Where rows are nearly alike, columns that name their row are left out: "
                  f"{', '.join(near['without'])}.")
    if not apart["looked"]:
        why = "has too few columns that do not number or name their rows" if apart["few"] else "is too long"
        face.note(f"The table {why} to look for rows that are apart in one column only.")


def _rows(examples: Any) -> str:
    return "; ".join(", ".join(str(row) for row in group[:3]) for group in examples[:2])


def _target(face: Face, made: Mapping[str, Any], types: Mapping[str, Column]) -> None:
    if made["balance"]:
        total = sum(count for _, count in made["balance"])
        face.table(("class", "rows", "share"), [(str(value)[:60], words.count(count), f"{count / total:.1%}")
                                                for value, count in made["balance"][:_SHOWN]], right=("rows", "share"))
        face.say()
    face.table(("column", "predicts alone", ""),
               [(item["name"], _power(item, item["power"]), _suspicious(item))
                for item in made["columns"]], right=("predicts alone",))
    _distributions(face, made, types)
    if made["sampled"]:
        face.note(f"What columns predict was taken from {made['sampled']:,} rows.")


def _distributions(face: Face, made: Mapping[str, Any], types: Mapping[str, Column]) -> None:
    """Show of the columns that tell most what they hold by class, or how a target of numbers lies by their values."""
    numbers, values = list[tuple[str, ...]](), list[tuple[str, ...]]()
    for item in [item for item in made["columns"] if item["distribution"]][:_SHOWN]:
        found, name = item["distribution"], item["name"]
        if found["kind"] == "boxes":
            of = types[name if found["of"] == "column" else made["target"]]
            numbers += [(name, _group(group["label"], types[name]), words.count(group["n"]),
                         *(chart_value(cut, of) for cut in group["quantiles"])) for group in found["groups"]]
        else:
            values += [(name, str(group["label"])[:60], words.count(group["n"]), ", ".join(
                f"{value!s:.40} {count / max(1, group['n']):.0%}" for value, count in zip(
                    found["values"][:_GROUPS], group["counts"][:_GROUPS], strict=True)))
                       for group in found["groups"]]
    if numbers:
        face.say("\nBy class" if made["classes"] else f"\n{made['target']} by values of a column")
        face.table(("column", "class" if made["classes"] else "value", "rows", "5 %", "25 %", "median", "75 %", "95 %"),
                   numbers, right=("rows", "5 %", "25 %", "median", "75 %", "95 %"))
    if values:
        face.say("\nBy class")
        face.table(("column", "class", "rows", "values"), values, right=("rows",), spare=("values",))


def _group(label: Any, column: Column) -> str:
    return f"{chart_value(label[0], column)} to {chart_value(label[1], column)}" if isinstance(label, list) else \
        str(label)[:60]


_SUSPICION = {"leak": "! gives the target away", "strong": "! very strong; known beforehand?"}
_ABSENCE = {"leak": "gives the target away", "strong": "says much of the target"}


def _suspicious(item: Mapping[str, Any]) -> str:
    if item["absence"] is not None:
        return f"! whether it is missing {_ABSENCE[item['absence']]} ({_power(item, item['missing_power'])})"
    return _SUSPICION.get(item["suspicion"], "")


def _power(item: Mapping[str, Any], value: float | None) -> str:
    if value is None:
        return ""
    return f"ROC AUC {(1 + value) / 2:.3f}" if item["measure"] == "auc" else f"R² {value:.3f}"
