"""The model card: what the model is, how good, from what, and where not to trust it. Plain Markdown for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from mldesk.training.metric_words import SMALL_TEST, better, meaning, ordered, title, worsening
from mldesk.training.model_facts import ModelFacts
from mldesk.training.prepared import PreparedEncoder

_SHOWN = 30   # lines of a table; what is beyond is counted
_RATHER_SMALL = 100


def write_card(facts: ModelFacts) -> str:
    """Return the card's text."""
    sections = [_head(facts), _scores(facts), _inputs(facts), _importance(facts), _caution(facts), _making(facts)]
    return "\n\n".join(filter(None, sections)) + "\n"


def _head(facts: ModelFacts) -> str:
    if facts.classes:
        shown = ", ".join(f"`{label}`" for label in facts.classes[:_SHOWN])
        more = f" and {len(facts.classes) - _SHOWN} more" if len(facts.classes) > _SHOWN else ""
        aim = f"It tells which of {len(facts.classes)} classes a row belongs to: {shown}{more}."
    else:
        aim = "It predicts a number."
    return (f"# {_cell(facts.target.name)}: {facts.estimator_title}\n\nPredicts the column "
            f"**{_cell(facts.target.name)}** of {_cell(facts.dataset_name)}. {aim}")


def _scores(facts: ModelFacts) -> str:
    intervals = facts.evaluation.get("parts", {}).get("test", {}).get("intervals", {})
    rows = [(title(name), f"{facts.metrics[name]:.4g}", _interval(intervals.get(name)), better(name), meaning(name))
            for name in ordered(facts.metrics)]
    return (f"## How good it is\n\nOn {facts.rows['test']} test rows, which took no part in training, with 95 % "
            "intervals (bootstrap over the rows):\n\n"
            + _table(("score", "value", "interval", "better", "meaning"), rows))


def _interval(edges: Sequence[float] | None) -> str:
    return f"{edges[0]:.4g} to {edges[1]:.4g}" if edges else ""


def _inputs(facts: ModelFacts) -> str:
    rows = [(_cell(column.name), column.type.value, column.role.value) for column in facts.encoder.columns]
    text = "## What it needs\n\n" + _table(("column", "type", "used as"), rows[:_SHOWN])
    if len(rows) > _SHOWN:
        text += f"\n\nand {len(rows) - _SHOWN} more columns, listed in `model.json`."
    if isinstance(facts.encoder, PreparedEncoder):
        text += "\n\nPrepared by the model, as learnt from its training rows:\n\n" + "\n".join(
            f"- {_cell(words)}" for words in facts.encoder.words()[:_SHOWN])
    left_out = [f"- {_cell(name)}: {why}" for name, why in facts.encoder.left_out.items()]
    if left_out:
        text += "\n\nNot used:\n\n" + "\n".join(left_out[:_SHOWN])
        text += f"\n- and {len(left_out) - _SHOWN} more" if len(left_out) > _SHOWN else ""
    return text + "\n\nEmpty cells, and categories never seen in training, are allowed."


def _importance(facts: ModelFacts) -> str:
    items: Sequence[dict[str, Any]] = facts.evaluation.get("importance", ())
    if not items:
        return ""
    rows = [(_cell(item["feature"]), f"{item['value']:.4g} ± {item['std']:.2g}") for item in items[:10]]
    return (f"## What it goes by\n\nBy how much {worsening(facts.evaluation['importance_metric'])} when a column's "
            "values change places between test rows:\n\n" + _table(("column", "loss of score"), rows))


def _caution(facts: ModelFacts) -> str:
    said = ["It knows what its training rows showed; rows of another kind, place or time may be predicted badly.",
            "What goes with the target need not cause it."]
    said += [_cell(text) for text in facts.evaluation.get("doubts", ())]
    if SMALL_TEST <= facts.rows["test"] < _RATHER_SMALL:
        said.append(f"The scores come from only {facts.rows['test']} test rows and may be far off by luck alone.")
    if facts.finished_early:
        said.append("The training was ended early by hand.")
    said += [f"Its {item['level']:.0%} {'sets of classes' if facts.classes else 'intervals'} held the truth in "
             f"{item['share']:.1%} of the test rows."
             for item in facts.evaluation.get("parts", {}).get("test", {}).get("coverage", ()) if item["level"] == 0.9]
    return "## Where to be careful\n\n" + "\n".join(f"- {line}" for line in said)


def _making(facts: ModelFacts) -> str:
    rows = facts.rows
    settings = [(f"`{name}`", f"`{value}`") for name, value in facts.parameters.items()]
    folds = int(facts.fit_facts.get("folds") or 0)   # of a search, whose trials had folds instead of validation rows
    made_from = f"{rows['train']} training and {rows['validation']} validation rows"
    if folds > 1:
        made_from = f"{rows['train'] + rows['validation']} rows " + (
            f"(trials were judged by the last {folds} parts of them)" if facts.fit_facts.get("forward") else
            f"in {folds} folds")
    found = "".join(f" {name.replace('_', ' ').capitalize()}: {_fact(name, value)}."
                    for name, value in facts.fit_facts.items()
                    if name not in ("folds", "forward"))
    return (f"## How it was made\n\nOn {facts.created} by MLDesk from {made_from}, seed {facts.seed}.{found}\n\n"
            + _table(("parameter", "value"), settings))


def _fact(name: str, value: Any) -> str:
    """Write what a fit or a search says of itself."""
    if name == "metric":
        return title(str(value))
    if name == "members":
        return ", ".join(f"{one['weight']:.0%} {one['estimator']} (trial {one['trial']})"
                         for one in value)
    if name == "rates":
        return ", ".join(f"{rate:g} after {round_:g}" for round_, rate in value)
    return f"{value:.4g}" if isinstance(value, float) else _cell(str(value))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(text: str) -> str:
    """Return text from the user's table so that it cannot break out of a Markdown table."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
