"""``mldesk demo``."""
from __future__ import annotations

import typer


def demo(context: typer.Context) -> None:
    """Placeholder until the layers below are there."""
