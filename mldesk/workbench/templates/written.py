"""A template's data as a CSV file: the same bytes each time."""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Mapping

from mldesk.workbench.templates import machines, nature, people
from mldesk.workbench.templates.draws import Dice, Draw
from mldesk.workbench.templates.table import Template

_DRAWS: Mapping[str, Draw] = {draw.__name__: draw for draw in (
    machines.wafer_faults, machines.truck_pressure, nature.concrete_strength, nature.forest_cover,
    nature.climate_visibility, people.card_default, people.phishing_sites, people.text_sentiment)}


def csv_of(template: Template, rows: int | None = None) -> str:
    """Return the table of a template, or one of so many ``rows`` drawn alike."""
    number = template.rows if rows is None else rows
    drawn = _DRAWS[template.name](Dice(zlib.crc32(template.name.encode()), number))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(template.columns)
    writer.writerows(zip(*(drawn[name] for name in template.columns), strict=True))
    return text.getvalue()
