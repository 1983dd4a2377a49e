"""A report as one HTML file that needs nothing else: no network, no script, pictures within."""

from __future__ import annotations

import html
from collections.abc import Sequence
from itertools import count, groupby
from typing import get_args

from mldesk.core.resources import resource
from mldesk.reports.charts import draw
from mldesk.reports.document import Block, Chart, Code, Facts, Report, Section, Table, Text, Tiles

_CHARTS = get_args(Chart)


def write_page(report: Report) -> str:
    """Return the whole page. Whatever text came from the user's data is escaped; the page may load nothing."""
    numbers = count(1)
    body = "".join(_section(section, numbers) for section in report.sections)
    style = resource("reports", "report.css").read_text("utf-8")
    contents = "".join(f'<li><a href="#{_anchor(section.title)}">{_text(section.title)}</a></li>'
                       for section in report.sections)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        'img-src data:">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="generator" content="MLDesk"><meta name="keywords" content="{_text(", ".join(report.keywords))}">'
        f"<title>{_text(report.title)}</title>\n<style>\n{style}</style></head>\n"
        f'<body><header><h1>{_text(report.title)}</h1><p class="muted">{_text(report.subtitle)}</p></header>\n'
        f"<nav><ul>{contents}</ul></nav>\n<main>{body}</main>\n<footer>{_text(report.footer)}</footer></body></html>\n")


def _section(section: Section, numbers: count[int]) -> str:
    parts = []
    for chart, blocks in groupby(section.blocks, key=lambda block: isinstance(block, _CHARTS)):
        inner = "".join(_block(block, numbers) for block in blocks)
        parts.append(f'<div class="charts">{inner}</div>' if chart else inner)
    return f'<section id="{_anchor(section.title)}"><h2>{_text(section.title)}</h2>\n{"".join(parts)}</section>\n'


def _block(block: Block, numbers: count[int]) -> str:
    if isinstance(block, Text):
        return f'<p class="{block.tone}">{_text(block.text)}</p>\n'
    if isinstance(block, Code):
        return f"<pre>{_text(block.text)}</pre>\n"
    if isinstance(block, Facts):
        return "<dl>" + "".join(f"<div><dt>{_text(name)}</dt><dd>{_text(value)}</dd></div>"
                                for name, value in block.facts.items()) + "</dl>\n"
    if isinstance(block, Tiles):
        return '<div class="tiles">' + "".join(
            f'<div><span class="label">{_text(tile.label)}</span><span class="value">{_text(tile.value)}</span>'
            f'<span class="note">{_text(tile.note)}</span></div>' for tile in block.tiles) + "</div>\n"
    if isinstance(block, Table):
        return _table(block)
    return (f'<figure role="img" aria-label="{_text(block.title)}">'
            f"{draw(block, f'chart{next(numbers)}')}</figure>\n")


def _table(table: Table) -> str:
    kinds = ["number" if name in table.right else "" for name in table.head]

    def line(cells: Sequence[str], row: int) -> str:
        return "<tr>" + "".join(
            f'<td class="{kind}{" strong" if (row, place) in table.strong else ""}">{_text(cell)}</td>'
            for place, (kind, cell) in enumerate(zip(kinds, cells, strict=True))) + "</tr>"

    head = "".join(f'<th scope="col" class="{kind}">{_text(name)}</th>'
                   for name, kind in zip(table.head, kinds, strict=True))
    rows = "\n".join(line(cells, row) for row, cells in enumerate(table.rows))
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>\n'


def _anchor(title: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in title.lower())


def _text(text: str) -> str:
    """Escape text, and drop what may not stand in a page at all (control characters)."""
    return html.escape("".join(letter for letter in text if letter >= " " or letter in "\n\t"))
