"""How a booster takes another learning rate while it goes on; see ``training.steering``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mldesk.training.estimators.base import FitContext
from mldesk.training.steering import LATE, rate_after


def listen(context: FitContext, state: Any, tuning: bool, write: Callable[[Path], None]) -> None:
    """Take another learning rate from the next round on, if somebody asks for one.

    Args:
        state: a dataclass with ``round``, ``rates``, ``heard`` and ``metric_step``, kept in checkpoints
        tuning: this is the first fit; the second one repeats its rates
        write: puts the booster into a checkpoint's folder
    """
    if (told := context.steering.rate(state.heard, state.round)) is None:
        return
    before = rate_after(state.rates, state.round, context.parameters["learning_rate"])
    state.heard += told[0]
    if tuning:
        state.rates.append([state.round, told[1]])
    context.checkpoints.save(state.metric_step, asdict(state), write)
    if not tuning:
        context.report.log(LATE)
        return
    context.report.log(f"The learning rate is {told[1]:g} after round {state.round}, as asked for.")
    context.report.metrics(state.round, {"learning_rate": before})


def changes(rates: Sequence[Sequence[float]]) -> dict[str, list[list[float]]]:
    """Return a fit's fact: (round or step, learning rate after it) of each change that was asked for; {} for none."""
    return {"rates": [list(change) for change in rates]} if rates else {}


def drawn_rate(context: FitContext, state: Any) -> dict[str, float]:
    """Return the learning rate of the last round as a reading, where it was ever changed."""
    first = context.parameters["learning_rate"]
    return {"learning_rate": rate_after(state.rates, state.round - 1, first)} if state.rates else {}
