"""What can be said about a training order before it runs: why not, and what is worth knowing. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mldesk.core.errors import BadInput, MldeskError
from mldesk.library.records import DatasetVersion
from mldesk.training.catalogue import (
    CLASSIFICATION,
    ESTIMATORS,
    SHORT_NAMES,
    EstimatorEntry,
    default_estimator,
    estimators_for,
)
from mldesk.training.class_weights import NAME, read_weights
from mldesk.training.metric_words import SMALL_TEST
from mldesk.training.parameters import resolve
from mldesk.training.preparing_check import check_steps
from mldesk.training.task_guess import MIN_ROWS, guess_task, target_hint, target_problem
from mldesk.wire.jobs import BY_COLUMN, SPLITS, TASKS, SplitRequest
from mldesk.wire.schema import Column, ColumnType
from mldesk.workbench.orders import Advice, TrainCheck, TrainOrder
from mldesk.workbench.references import did_you_mean, listed

SMALL_TABLE = 100   # rows: below it a score says little
WIDE_TABLE = 2000   # columns: above it fitting takes long and overfits
MOST_FOLDS = 50
MANY_CLASSES = 60   # see training.many_classes


def check_order(order: TrainOrder, version: DatasetVersion) -> TrainCheck:
    """Return what is known about ``order``; a refusal is in ``why_not``, never raised."""
    task: str | None = None
    estimator, parameters, features = order.estimator, {}, ()  # type: str, Mapping[str, Any], tuple[str, ...]
    try:
        if version.purged is not None:
            raise BadInput(f"The rows of {version.label} were purged.", hint="Choose another version.")
        column = find_column(version, order.target, "target")
        task = _task(order, column, version.rows)
        estimator = find_estimator(order.estimator, task).name
        parameters = resolve_parameters(estimator, order.parameters)
        features = _features(order, version)
        check_steps(order.prepare, [column for column in version.columns if column.name in features], order.target)
        check_shares(order)
        _split(order, version)
        if order.split not in BY_COLUMN and not order.split_of:
            _enough_rows(order, column, version.rows, task)
    except MldeskError as error:
        return TrainCheck(error.message, error.hint, task, estimator, parameters, features)
    return TrainCheck(None, "", task, estimator, parameters, features, tuple(_advice(order, version, features, task)))


def refuse(check: TrainCheck) -> None:
    """Raise the refusal of a check, if there is one. Raises BadInput."""
    if check.why_not is not None:
        raise BadInput(check.why_not, hint=check.hint)


def find_column(version: DatasetVersion, name: str, role: str) -> Column:
    """Return the column called ``name``. Raises BadInput with the nearest names."""
    for column in version.columns:
        if column.name == name:
            return column
    names = [column.name for column in version.columns]
    if not name:
        raise BadInput(f"No {role} column is chosen.", hint=f"{version.label} has: {listed(names)}.")
    raise BadInput(f"{version.label} has no column {name[:80]!r}.",
                   hint=did_you_mean(name, names) or f"It has: {listed(names)}.")


def find_estimator(name: str, task: str) -> EstimatorEntry:
    """Return the catalogue's entry, "auto" being the default for the task. Raises BadInput with the nearest names."""
    known = [entry.name for entry in estimators_for(task)]
    if name == "auto":
        return ESTIMATORS[default_estimator(task)]
    if name not in ESTIMATORS:
        raise BadInput(f"There is no model {name[:60]!r}.",
                       hint=_meant(name) or f"There are: {listed(known, 20)}; `mldesk models kinds` tells of them.")
    if name not in known:
        raise BadInput(f"{ESTIMATORS[name].title} cannot do {task}.", hint=f"For it there are: {listed(known)}.")
    return ESTIMATORS[name]


def _meant(name: str) -> str:
    """Return a hint naming the model that is often called ``name``, else those of the nearest names."""
    usual = SHORT_NAMES.get(name.casefold())
    return f"Did you mean {usual!r}?" if usual else did_you_mean(name, ESTIMATORS)


def resolve_parameters(estimator: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return every parameter of the estimator, given or default. Raises BadInput with the nearest names."""
    known = [parameter.name for parameter in ESTIMATORS[estimator].parameters]
    for name in given:
        if name not in known:
            raise BadInput(f"{ESTIMATORS[estimator].title} has no parameter {name[:60]!r}.",
                           hint=did_you_mean(name, known) or f"It has: {listed(known) or 'none'}.")
    values = resolve(ESTIMATORS[estimator].parameters, given)
    if values.get(NAME):
        read_weights(values[NAME])   # which classes there are, the trainer knows
    return values


def _task(order: TrainOrder, column: Column, rows: int) -> str:
    if order.task is not None and order.task not in TASKS:
        raise BadInput(f"There is no task {order.task[:60]!r}.",
                       hint=did_you_mean(order.task, TASKS) or f"There are: {listed(TASKS)}.")
    task = order.task or (CLASSIFICATION if order.order else guess_task(column, rows))
    if order.order and task != CLASSIFICATION:
        raise BadInput(f"An order of classes was given, but {column.name!r:.80} is to be predicted as a number.",
                       hint="Leave the order out, or train a classification.")
    problem = target_problem(column, rows, task)
    if problem is not None:
        raise BadInput(problem, hint=target_hint(column, rows, task))
    return task


def _features(order: TrainOrder, version: DatasetVersion) -> tuple[str, ...]:
    left_out = {find_column(version, name, "feature").name for name in order.without}
    if both := left_out & set(order.features or ()):
        raise BadInput(f"The column {min(both)!r:.80} is both a feature and left out.",
                       hint="Name it once: with --feature, or with --without.")
    if order.features is not None:
        chosen = tuple(find_column(version, name, "feature").name for name in order.features if name != order.target)
    else:
        chosen = tuple(column.name for column in version.columns
                       if column.name != order.target and column.distinct > 0)
    chosen = tuple(name for name in dict.fromkeys(chosen) if name not in left_out)
    if not chosen and order.without:
        raise BadInput(f"No column is left to learn {order.target!r} from.", hint="Choose at least one more column.")
    if not chosen:
        raise BadInput(f"{version.label} has no column to learn from beside {order.target!r}.",
                       hint="Import a table with at least one more column that is not empty.")
    return chosen


def check_shares(order: TrainOrder) -> None:
    """Raise BadInput for a share of rows that is none."""
    for share, what in ((order.test_size, "test"), (order.validation_size, "validation")):
        if not 0 < share < 1:
            raise BadInput(f"The share of the {what} part must lie between 0 and 1, not be {share:g}.",
                           hint=f"0.2 keeps a fifth of the rows for the {what} part.")


def split_request(order: TrainOrder) -> SplitRequest:
    """Return how the order's rows are to be dealt."""
    by = order.split_column if order.split in BY_COLUMN else None
    return SplitRequest(order.split, order.test_size, order.validation_size, order.seed, column=by, folds=order.folds,
                        same_test=_same_test(order))


def _same_test(order: TrainOrder) -> bool:
    """Say whether the test part without folds is the first of them: it is as large as one, or the latest rows."""
    return bool(order.folds) and (order.split == "time" or abs(order.folds * order.test_size - 1) < 1e-6)


def _split(order: TrainOrder, version: DatasetVersion) -> None:
    """Refuse a way to deal rows that cannot be."""
    if order.split_of:
        if order.folds:
            raise BadInput("Rows that are dealt as in another run cannot be dealt into folds.",
                           hint="Leave the folds out, or give the same seed, test size and split as there.")
        return
    known = [name for name in SPLITS if name != "given"]
    if order.split not in known:
        raise BadInput(f"There is no way to split called {order.split[:60]!r}.",
                       hint=did_you_mean(order.split, known) or f"There are: {listed(known)}.")
    if order.folds and not 2 <= order.folds <= MOST_FOLDS:
        raise BadInput(f"{order.folds} folds cannot be made; from 2 to {MOST_FOLDS} can.", hint="5 is usual.")
    if order.folds and order.split == "column":
        raise BadInput("Rows that are split by a column cannot be dealt into folds.",
                       hint="Use folds with random, stratified, shuffle, group or time.")
    if order.split not in BY_COLUMN:
        return
    column = find_column(version, order.split_column or "", "split")
    if column.name == order.target:
        raise BadInput("The rows cannot be split by the target itself.", hint="Choose another column.")
    if order.split == "time" and not (column.type.temporal or column.type.numeric):
        raise BadInput(f"The column {column.name!r:.80} holds {column.type.value}, which has no order in time.",
                       hint="Choose a date, or cast the column to one.")
    if order.split == "time":
        _enough_times(order, column, version.rows)
    if order.split == "group" and column.distinct < 3:
        raise BadInput(f"The column {column.name!r:.80} has {column.distinct} different values; three parts need as "
                       "many groups at least.", hint="Choose a column with more values.")
    if order.split == "column" and column.distinct > 20:
        raise BadInput(f"The column {column.name!r:.80} has {column.distinct:,} different values; it names no parts.",
                       hint="It must hold train, validation and test.")


def _enough_times(order: TrainOrder, column: Column, rows: int) -> None:
    """Refuse a time split that would leave a part without a row: rows of one moment stay together, those of none out.

    Each fold takes the rows of a moment at least, and before the earliest there are some to learn from and to validate.
    """
    needed, filled = (order.folds or 1) + 2, rows - column.missing
    if column.distinct < needed or filled < MIN_ROWS:
        times = "time" if column.distinct == 1 else "times"
        raise BadInput(f"The column {column.name!r:.80} holds {column.distinct} different {times}, in {filled:,} of "
                       f"{rows:,} rows; a split by time needs {needed} at least, in {MIN_ROWS} rows.",
                       hint="Choose a column with more of them" + (", ask for fewer folds," if order.folds else "") +
                       " or split another way.")


def _enough_rows(order: TrainOrder, column: Column, rows: int, task: str) -> None:
    """Refuse what the trainer's split would: a part that gets no row. Every class keeps a row to learn from."""
    usable = rows - column.missing
    kept = column.distinct if task == CLASSIFICATION else 1
    tested = min(max(1, round(usable * order.test_size)), usable - kept)
    if tested < 1 or usable - tested <= kept:
        raise BadInput(f"A test part of {order.test_size:g} leaves too few of the {usable:,} usable rows to learn from "
                       "and to validate on.",
                       hint="Choose a smaller test part; 0.2 is a fifth." if order.test_size > 0.5 else "Add rows.")


def _tested(order: TrainOrder, usable: int) -> int:
    return usable // order.folds if order.folds and order.split != "time" else int(usable * order.test_size)


def _advice(order: TrainOrder, version: DatasetVersion, features: Sequence[str], task: str) -> list[Advice]:
    advice = []
    column = find_column(version, order.target, "target")
    usable = version.rows - column.missing
    if column.missing:
        rows = "row" if column.missing == 1 else "rows"
        advice.append(Advice("info", f"{column.missing:,} {rows} without a value in {order.target} "
                                     f"{'is' if column.missing == 1 else 'are'} left out."))
    if usable < SMALL_TABLE:
        advice.append(Advice("warning", f"Only {usable} rows can be used: the scores will say little."))
    elif order.split != "column" and not order.split_of and (tested := _tested(order, usable)) < SMALL_TEST:
        advice.append(Advice("warning", f"Only {tested} rows are in the test part: its scores are shaky."))
    if order.folds > 2 and not _same_test(order):   # two are for 5x2cv
        advice.append(Advice("info", f"The test rows are one fold of {order.folds}, other rows than those of a run "
                             f"without folds; with a test share of {100 / order.folds:.3g} % they would be the same."))
    if task == CLASSIFICATION and column.distinct >= MANY_CLASSES:
        advice.append(Advice("warning", f"{column.distinct:,} classes have {usable / column.distinct:.1f} rows each on "
                                        "average: boosters and forests are made smaller so that they end; a neural "
                                        "network or a linear model is quicker."))
    if task == CLASSIFICATION and any(step.get("step") == "rebalance" and step.get("column") == order.target
                                      for step in order.prepare):
        advice.append(Advice("info", "The training rows are rebalanced by the target, so the probabilities will be "
                                     "those of a table in which all classes are as frequent; no test row is left out."))
    if len(features) > WIDE_TABLE:
        advice.append(Advice("warning", f"{len(features)} columns are used: this takes long and fits noise."))
    ids = [c.name for c in version.columns if c.name in features and c.type is ColumnType.TEXT
           and c.distinct == version.rows > SMALL_TABLE]
    if ids:
        advice.append(Advice("info", f"Every row has its own {listed(ids, 3)}: nothing can be learned from that."))
    return advice
