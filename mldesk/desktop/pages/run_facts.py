"""What a run was made from, as names and values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mldesk.desktop import runner_words, words

if TYPE_CHECKING:
    from mldesk.library.records import Run

Facts = list[tuple[str, str]]


def settings(run: Run) -> Facts:
    """Return the estimator and its parameters, as they were used."""
    from mldesk.training.catalogue import ESTIMATORS

    used = (run.result or {}).get("parameters") or run.parameters
    entry = ESTIMATORS.get(run.estimator)
    titles = {parameter.name: parameter.title for parameter in entry.parameters} if entry is not None else {}
    facts = [(words.tr("Estimator"), words.estimator_name(run.estimator))]
    return facts + [(titles.get(name, name), words.cell(value)) for name, value in used.items()]


def data_facts(run: Run) -> Facts:
    """Return the dataset, the target, and how the rows were dealt."""
    tr, payload = words.tr, run.spec.get("payload", {})
    rows = (run.result or {}).get("rows") or {}
    features = payload.get("features")
    facts = [(tr("Dataset"), run.dataset), (tr("Target"), run.target), (tr("Task"), words.task_name(run.task))]
    facts.append((tr("Columns used"), ", ".join(features) if features else tr("every column that can be used")))
    for part, title in (("train", tr("Training rows")), ("validation", tr("Validation rows")),
                        ("test", tr("Test rows"))):
        if part in rows:
            facts.append((title, words.number(int(rows[part]))))
    split = payload.get("split", {})
    if "test_size" in split:
        facts.append((tr("Test share"), f"{float(split['test_size']):.0%}"))
    return [*facts, (tr("Seed"), words.cell(payload.get("seed")))]


def about(run: Run, attempt: Mapping[str, Any]) -> Facts:
    """Return where and when it ran."""
    tr = words.tr
    facts = [(tr("Id"), run.id), (tr("Runner"), runner_words.where(run.runner))]
    if attempt.get("device"):
        facts.append((tr("Device"), str(attempt["device"])))
    facts += [(tr("Created"), words.moment(run.created)), (tr("Began"), words.moment(run.started)),
              (tr("Ended"), words.moment(run.finished))]
    if run.cause is not None:
        facts.append((tr("Cause"), run.cause.value.replace("_", " ")))
    if run.model:
        facts.append((tr("Model"), run.model))
    return [*facts, (tr("Events"), words.number(run.last_seq))]
