"""What changed from one version of a model to the next, in a sentence or two. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.metric_words import leading, title
from mldesk.workbench.report_words import number, plain, plural
from mldesk.workbench.split_words import split_words

_MOST = 4   # names that are listed; of more the rest is counted


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one version."""

    label: str                                    # M@V
    lineage: Mapping[str, Any]                    # of ``AboutService.lineage``
    metrics: Mapping[str, float]                  # on the test rows
    intervals: Mapping[str, Sequence[float]]      # [low, high] of the 95 % intervals that are kept


@dataclass(frozen=True, slots=True)
class Change:
    """What differs, by name, each with its words; and how the leading score moved."""

    since: str                                    # M@V
    parts: Mapping[str, str]                      # "data", "rows", "features", "estimator", "parameters" …
    score: Mapping[str, Any] | None               # {"metric", "before", "after", "interval"}; None: none in common
    tested_on: str                                # "the same test rows", "other test rows"; "" where nobody knows
    whole: bool                                   # the runs of both are here: what is not said to differ does not

    @property
    def words(self) -> str:
        """The sentences."""
        told = "; ".join(self.parts.values())
        said = f"Since {self.since}: {told}." if told else (
            f"The same data, columns, estimator, parameters, split and seed as {self.since}." if self.whole else
            f"Nothing that is known here differs from {self.since}.")
        if self.score is None:
            return said
        low_high = self.score["interval"]
        within = "" if low_high is None else f" (95 %: {number(low_high[0])} to {number(low_high[1])})"
        rows = f", on {self.tested_on}" if self.tested_on else ""
        return (f"{said} {title(self.score['metric'])} {number(self.score['before'])} → {number(self.score['after'])}"
                f"{within}{rows}.")

    def to_json(self) -> dict[str, Any]:
        """Return {"since", "text", "differs" (words by name), "score", "tested_on"}."""
        return {"since": self.since, "text": self.words, "differs": dict(self.parts),
                "score": None if self.score is None else dict(self.score), "tested_on": self.tested_on or None}


def change(before: Known, after: Known) -> Change:
    """Compare a version with one before it. What either does not know, as a bundle's data, is not said to differ."""
    old, new = before.lineage, after.lineage
    parts = {"data": _data(old["data"], new["data"]), "rows": _rows(old["split"]["rows"], new["split"]["rows"]),
             "target": _moved("target", old.get("target"), new.get("target")),
             "features": _named(old["features"], new["features"]),
             "estimator": _moved("estimator", old["estimator"], new["estimator"]),
             "parameters": _parameters(old, new), "preparation": _prepared(old, new),
             "split": _moved("split", _split(old), _split(new)), "seed": _moved("seed", old["seed"], new["seed"])}
    metric = leading(name for name in after.metrics if name in before.metrics)
    score = None if metric is None else {
        "metric": metric, "before": before.metrics[metric], "after": after.metrics[metric],
        "interval": list(after.intervals[metric]) if metric in after.intervals else None}
    return Change(before.label, {name: said for name, said in parts.items() if said}, score, _tested_on(old, new),
                  old["run"] is not None and new["run"] is not None)


def _moved(what: str, old: Any, new: Any) -> str:
    return "" if old == new or old in (None, "") or new in (None, "") else f"{what} {plain(old)} → {plain(new)}"


def _data(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Say which table it was and is, and by which steps the one became the other, where it did."""
    said = _moved("data", old["version"], new["version"])
    if not said:   # a name can be given to another table
        known = old["manifest"] and new["manifest"] and old["manifest"] != new["manifest"]
        return f"other rows under the name {new['version']}" if known else ""
    line = list(new["line"])
    places = [place for place, item in enumerate(line) if item["version"] == old["version"]]
    made = line[places[0] + 1:] if places else []
    steps = [str(step.get("step", "?")) for item in made for step in item["recipe"] or () if not step.get("disabled")]
    return f"{said} ({_listed(steps)})" if steps else said


def _rows(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    if "train" not in old or "train" not in new or old["train"] == new["train"]:
        return ""
    return f"{old['train']:,} → {plural(int(new['train']), 'row')} to train on"


def _named(old: Sequence[str], new: Sequence[str]) -> str:
    """Say which columns came and which went."""
    came, went = [name for name in new if name not in old], [name for name in old if name not in new]
    said = [f"column{'' if len(names) == 1 else 's'} {word}: {_listed(names)}"
            for word, names in (("added", came), ("removed", went)) if names]
    return "; ".join(said) if old and new else ""


def _parameters(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Say which parameters differ, defaults filled in; those of two kinds of models are not compared."""
    if old["estimator"] != new["estimator"]:
        return ""
    entry = ESTIMATORS.get(str(new["estimator"]))
    default = {} if entry is None else {item.name: item.default for item in entry.parameters}
    one, other = {**default, **old["parameters"]}, {**default, **new["parameters"]}
    differ = [name for name in dict.fromkeys((*one, *other)) if one.get(name) != other.get(name)]
    said = [f"{name} {_value(one.get(name))} → {_value(other.get(name))}" for name in differ]
    if old["members"] != new["members"]:
        said.append(f"a blend of {len(old['members'])} → {len(new['members'])} trials, or of others")
    return _listed(said)


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else plain(value)   # 1e-05 is not 0


def _prepared(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Say which steps the model does itself, and did before, where its run is here to say so."""
    if old["prepare"] == new["prepare"] or old["run"] is None or new["run"] is None:
        return ""
    one, other = ([str(step.get("step", "?")) for step in item["prepare"]] for item in (old, new))
    return ("its preparing steps have other settings" if one == other else
            f"preparing steps {_listed(one) or 'none'} → {_listed(other) or 'none'}")


def _split(lineage: Mapping[str, Any]) -> str:
    return split_words(lineage["split"], lineage["split"].get("search"))


def _tested_on(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Say whether the test rows were the same: the same table, dealt in the same way."""
    known = [(item["data"]["manifest"], item["split"]["membership"]) for item in (old, new)]
    if not all(all(one) for one in known):
        return ""
    if known[0] == known[1]:
        return "the same test rows"
    return "other test rows" if known[0][0] == known[1][0] else "test rows of another table"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST
    return ", ".join(names[:_MOST]) + (f" and {more} more" if more > 0 else "")
