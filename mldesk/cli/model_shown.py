"""What the commands about models share: how one is named, and how its score is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mldesk.cli import words
from mldesk.cli.face import Face
from mldesk.training import metric_words

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


def leading(metrics: Any) -> str:
    """Write the one score that a list has room for."""
    name = metric_words.leading(metrics)
    return "" if name is None else f"{metric_words.title(name)} {words.score(metrics[name])}"
