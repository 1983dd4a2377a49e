"""What a run was made from, as names and values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mldesk.desktop import runner_words, words
from mldesk.desktop.states.search import SearchWish, asked, is_search
from mldesk.workbench.split_words import searched, split_words

if TYPE_CHECKING:
    from mldesk.library.records import Run

Facts = list[tuple[str, str]]
_SHOWN = {"mlflow.runName", "mlflow.note.content", "mlflow.parentRunId"}   # elsewhere, or of no use here
_PROGRAMS = {"mlflow": "MLflow", "tensorboard": "TensorBoard"}


def program_of(run: Run) -> str:
    """Return what people call the program that kept an imported run."""
    program = str(run.spec.get("payload", {}).get("program", ""))
    return _PROGRAMS.get(program, program)


def learns(run: Run) -> str:
    """Return what a run is about, in a line."""
    payload = run.spec.get("payload", {})
    if run.kind == "script":
        reads = ", ".join(sorted(payload.get("datasets", {}).values()))
        return (words.tr("Script {entry}, reads {tables}") if reads else words.tr("Script {entry}")).format(
            entry=payload.get("entry", ""), tables=reads)
    if run.kind == "explain":
        return words.tr("Explains a model of {target} by {dataset}").format(target=run.target, dataset=run.dataset)
    if run.kind == "imported":
        return ", ".join(filter(None, (words.tr("Taken over from {program}").format(program=program_of(run)),
                                       str(payload.get("group", "")))))
    if run.kind == "import":
        return words.tr("Makes a table of files on the runner")
    what = words.tr("A search for the best model of {target} in {dataset}") if is_search(run) else \
        words.tr("{estimator} learns {target} from {dataset}")
    return what.format(estimator=words.estimator_name(run.estimator), target=run.target, dataset=run.dataset)


def settings(run: Run) -> Facts:
    """Return the estimator and its parameters, as they were used."""
    from mldesk.training.catalogue import ESTIMATORS

    if is_search(run):
        return _wishes(run)
    if run.kind == "script":
        return _script(run)
    if run.kind == "imported":
        kept = run.spec.get("payload", {}).get("parameters", {})
        return [(str(name), words.cell(value)) for name, value in kept.items()] or [
            (words.tr("Parameters"), words.tr("It kept none."))]
    used = (run.result or {}).get("parameters") or run.parameters
    entry = ESTIMATORS.get(run.estimator)
    titles = {parameter.name: parameter.title for parameter in entry.parameters} if entry is not None else {}
    facts = [(words.tr("Estimator"), words.estimator_name(run.estimator))]
    names = [*(name for name in titles if name in used), *(name for name in used if name not in titles)]
    return facts + [(titles.get(name, name), words.cell(used[name])) for name in names if used[name] is not None]


def _script(run: Run) -> Facts:
    """Return what a script was given."""
    payload, tr = run.spec.get("payload", {}), words.tr
    used = (run.result or {}).get("parameters") or payload.get("parameters", {})
    return [(tr("Program"), str(payload.get("entry", ""))),
            *((name, words.cell(value)) for name, value in used.items()),
            (tr("Environment"), ", ".join(payload.get("requirements", ())) or tr("that of the runner")),
            (tr("Files"), str(payload.get("script", ""))[:16])]


def _wishes(run: Run) -> Facts:
    """Return what a search was asked for, and what came of it."""
    tr, wish, result = words.tr, SearchWish.of(run), run.result or {}
    metric, seconds = wish.metric or result.get("metric"), float(run.spec.get("payload", {}).get("seconds") or 0)
    facts = [(tr("Looks for"), tr("the best model")),
             (tr("Strives for"), words.metric_name(metric) if metric else tr("what suits the task")),
             (tr("Time"), words.duration(seconds) if seconds else tr("as long as it takes")),
             (tr("Trials at most"), tr("as many as the time allows") if wish.ends == "time" else
              words.number(wish.trials)),
             (tr("Models"), ", ".join(map(words.estimator_name, wish.estimators)) or tr("all that make sense")),
             (tr("Keeps"), tr("a stack of the best") if wish.stack else
              tr("a blend of the best") if wish.blend else tr("the best one")),
             (tr("Fitted again at the end"), tr("on all rows but the test rows") if wish.refit else tr("no")),
             (tr("Models at once"), words.number(wish.parallel))]
    if wish.good_enough is not None:
        facts.insert(2, (tr("Good enough"), words.metric_value(wish.good_enough)))
    if "trials" in result:
        facts.append((tr("Trials"), tr("{done} done, {failed} failed").format(
            done=words.number(int(result["trials"])), failed=words.number(int(result.get("failed_trials") or 0)))))
    return facts


def data_facts(run: Run, looks: tuple[int, int] = (0, 0)) -> Facts:
    """Return the dataset, the target, and how the rows were dealt."""
    tr, payload = words.tr, asked(run)
    if run.kind == "script":
        return [(name, str(table)) for name, table in payload.get("datasets", {}).items()] or [
            (tr("Tables"), tr("It reads none of MLDesk's."))]
    if run.kind == "imported":
        return [(tr("Kept by"), program_of(run)),
                (tr("Experiment"), str(payload.get("group", "")) or words.MISSING),
                (tr("Known there as"), str(payload.get("key", ""))),
                *((name, str(value)) for name, value in payload.get("tags", {}).items() if name not in _SHOWN)]
    rows = (run.result or {}).get("rows") or {}
    features = payload.get("features")
    facts = [(tr("Dataset"), run.dataset), (tr("Target"), run.target), (tr("Task"), words.task_name(run.task))]
    facts.append((tr("Columns used"), ", ".join(features) if features else tr("every column that can be used")))
    facts += _parts(rows, searched(run) or {})
    split = payload.get("split", {})
    if said := split_words(split, searched(run)):
        facts.append((tr("Split"), said))
    if looks[0]:
        facts.append((tr("Looks at the test rows"), tr(
            "This is run {place} of {count} that looked at them. The more look, the luckier the best of them.").format(
                place=looks[1], count=looks[0]) if looks[0] > 1 else tr("This run alone has looked at them.")))
    return facts if payload.get("seed") is None else [*facts, (tr("Seed"), words.cell(payload["seed"]))]


def _parts(rows: Mapping[str, Any], search: Mapping[str, Any]) -> Facts:
    """Return how many rows there are of each part; ``search``: of one, its result, whose trials may have had folds."""
    tr, folds = words.tr, int(search.get("folds") or 0)
    titles = {"train": tr("Training rows"), "validation": tr("Validation rows"), "test": tr("Test rows")}
    counts = {part: int(rows[part]) for part in titles if part in rows}
    facts = []
    if folds > 1 and counts:
        said = (tr("{rows}, judged by the last {folds} parts") if search.get("forward") else
                tr("{rows} in {folds} folds"))
        learnt = counts.pop("train", 0) + counts.pop("validation", 0)
        facts.append((titles["train"], said.format(rows=words.number(learnt), folds=folds)))
    return facts + [(titles[part], words.number(count)) for part, count in counts.items()]


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
    facts += [(title, text) for title, text in ((tr("Model"), run.model), (tr("Group"), run.group),
                                                (tr("Tags"), ", ".join(run.tags)), (tr("Note"), run.note)) if text]
    return [*facts, (tr("Events"), words.number(run.last_seq))]
