"""What the commands about models share: how one is named, and how its score is written."""

from __future__ import annotations

import shlex
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mldesk.cli import words
from mldesk.cli.face import Face
from mldesk.core.errors import MldeskError
from mldesk.training import metric_words
from mldesk.workbench.references import parse_reference

if TYPE_CHECKING:
    from mldesk.workbench.bench import Workbench

Name = Annotated[str, typer.Argument(metavar="M", help="A model.")]
Reference = Annotated[str, typer.Argument(metavar="M[@V]", help="A model (its promoted version), or one version.")]
Version = Annotated[int, typer.Argument(metavar="V", min=1, help="A version's number; M@V is as good.")]
Why = Annotated[str, typer.Option("--note", metavar="TEXT", help="Why, for the history.")]


def up_to_date(face: Face, bench: Workbench) -> None:
    """Bring in what runs have made that nobody watched to their end."""
    for trouble in bench.runs.refresh():
        face.note(f"! {trouble}")


def say_in_use(face: Face, bench: Workbench, name: str, does: str) -> None:
    """Say of a model with several versions, none promoted, which one a bare ``name`` means, and which scored better.

    ``does``: "predicts", or whatever it does.
    """
    with suppress(MldeskError):   # whoever uses the model says what is wrong with it
        model = bench.models.get(name)
        if model.promoted is not None or model.versions < 2 or parse_reference(name)[1] is not None:
            return
        said = f"· {model.head.label} {does}, the newest of {model.versions} versions; none is promoted."
        if found := bench.judging.better(model.head, bench.models.versions(model.name)[:-1]):
            other, metric = found
            said += (f"\n! {other.label} scored better on the same test rows: {metric_words.title(metric)} "
                     f"{words.score(other.metrics[metric])} against {words.score(model.head.metrics[metric])}. "
                     f"To use it: mldesk models promote {shlex.quote(model.name)} {other.number}")
        face.note(said)


def leading(metrics: Any) -> str:
    """Write the one score that a list has room for."""
    name = metric_words.leading(metrics)
    return "" if name is None else f"{metric_words.title(name)} {words.score(metrics[name])}"
