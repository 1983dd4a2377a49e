"""Whether a boosting library grows its trees on a graphics card: as asked, where a tiny fit shows that it can.

The fit is tried in a process of its own, since a library that finds a driver it does not get on with may end its
process. Trees of a card are other trees than a processor's, and not the same from one run to the next.
"""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from mldesk.training.estimators.base import FitContext
from mldesk.training.resources import gpu_name

_WORTH = 50_000       # training rows from which "auto" takes a card: below, starting its kernels takes the most time
_PATIENCE = 120.0     # seconds that a try may take: some libraries compile for the card first
# A table that is made up, and a round of what a fit does: columns of a node, a learning rate that changes, a callback.
_ROWS = "import numpy; x = numpy.random.default_rng(0).random((500, 4), 'float32'); y = (x[:, 0] > 0.5) * 1; "
_TRIES = {
    "lightgbm": _ROWS + (
        "import lightgbm; p = {'objective': 'binary', 'device_type': KIND, 'feature_fraction_bynode': 0.5, "
        "'verbosity': -1}; "
        "lightgbm.train(p, lightgbm.Dataset(x, y, params=p), 3, callbacks=[lightgbm.reset_parameter(learning_rate="
        "[0.1, 0.2, 0.1])]).predict(x)"),
    "xgboost": _ROWS + (
        "import xgboost; b = xgboost.train({'objective': 'binary:logistic', 'device': KIND, 'tree_method': 'hist', "
        "'updater': 'grow_gpu_hist', 'colsample_bynode': 0.5}, xgboost.QuantileDMatrix(x, y), 3); "
        "assert xgboost.build_info().get('USE_CUDA'), 'this build of XGBoost knows no cards'; "
        "b.set_param({'device': 'cpu'}); b.inplace_predict(x)"),
    "catboost": _ROWS + (
        "import catboost; w = type('W', (), {'after_iteration': lambda self, info: True})(); "
        "catboost.CatBoost({'loss_function': 'Logloss', 'iterations': 3, 'task_type': KIND, "
        "'allow_writing_files': False, 'logging_level': 'Silent'}).fit(x, y, callbacks=[w])"),
}
_KINDS = {"lightgbm": ("cuda", "gpu"), "xgboost": ("cuda",), "catboost": ("GPU",)}   # best first, as each calls them
_TITLES = {"lightgbm": "LightGBM", "xgboost": "XGBoost", "catboost": "CatBoost"}
_told: set[str] = set()   # what this process has said: a search fits a thousand times


@dataclass(frozen=True, slots=True)
class Choice:
    """Where the trees are grown."""

    kind: str = ""        # as the library calls the card; "" for the processor
    said: str = ""        # what to tell the user; "" for nothing


def choose(library: str, asked: str, rows: int, card: str, tries: Callable[[str, str], str]) -> Choice:
    """Decide where ``library`` grows its trees.

    Args:
        library: "lightgbm", "xgboost" or "catboost"
        asked: "auto", "cpu", "cuda" or "cuda:N", which is the one card that this process sees
        rows: how many it learns from
        card: the name of that card; "" where there is none
        tries: makes a tiny fit of a library with a kind of card, and returns "" or why it did not work
    """
    if asked == "cpu" or (asked == "auto" and (not card or rows < _WORTH)):
        return Choice()
    title = _TITLES[library]
    if not card:
        return Choice(said=f"{title} was to use a graphics card, and there is none here: it uses the processor.")
    why = ""
    for kind in _KINDS[library]:
        if not (why := tries(library, kind)):
            return Choice(kind, f"{title} grows its trees on {card}; another run may differ in their last digits.")
    return Choice(said=f"{title} cannot use {card} here, so it uses the processor: {why}")


def card_for(library: str, context: FitContext) -> str:
    """Return the card to use as the library calls it, "" for the processor; what is to be said is said once."""
    choice = choose(library, context.device, len(context.train), _card(), tried)
    if choice.said and choice.said not in _told:
        _told.add(choice.said)
        context.report.log(choice.said)
    return choice.kind


@functools.cache
def _card() -> str:
    return gpu_name()


@functools.cache
def tried(library: str, kind: str) -> str:
    """Make the tiny fit; return "" where it works, else why not, in a line."""
    code = _TRIES[library].replace("KIND", repr(kind))
    try:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=_PATIENCE,
                              check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{type(error).__name__}."
    if not done.returncode:
        return ""
    said = done.stderr.strip().splitlines()
    return said[-1][:300] if said else f"the try ended with code {done.returncode}."
