"""Tables in HTML, from a page or the clipboard: one of them becomes a table of text cells."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from mldesk.core.sizes import size
from mldesk.data.names import clean_names
from mldesk.data.readers.dialect import looks_like_data
from mldesk.data.readers.raw import Context, Lines, RawTable, batch_rows, text_array
from mldesk.data.readers.spool import Spool
from mldesk.data.records import Fix, ImportRefused
from mldesk.data.sources.encoding import as_utf8

_MOST = 128 * 1024 * 1024   # bytes of a page
_SPAN = 1000                # columns or rows that one cell may cover
_CELLS = 20_000_000         # of a table, with those that spans make
_END_OF_CELL = ("td", "th", "tr", "table", "tbody", "thead", "tfoot")


@dataclass(slots=True)
class _Found:
    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    heads: list[bool] = field(default_factory=list)     # every cell of the row is a <th>
    cells: int = 0
    spans: dict[int, tuple[int, str]] = field(default_factory=dict)  # column -> (rows to go, text)


class _Tables(HTMLParser):
    """Gathers the rows of every table; a table in a cell of another stands on its own."""

    def __init__(self, name: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[_Found] = []
        self._name = name
        self._open: list[_Found] = []
        self._cell: list[str] | None = None
        self._span = (1, 1)
        self._silent = 0    # inside <script> or <style>

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style"):
            self._silent += 1
        elif tag == "table":
            self._end_cell()
            table = _Found()
            self.found.append(table)
            self._open.append(table)
        elif self._open and tag == "tr":
            self._end_cell()
            self._begin_row()
        elif self._open and tag in ("td", "th"):
            self._end_cell()
            table = self._open[-1]
            if not table.rows:
                self._begin_row()
            given = dict(attrs)
            self._span = (_number(given.get("colspan")), _number(given.get("rowspan")))
            self._cell = []
            table.heads[-1] = table.heads[-1] and tag == "th"
        elif tag in ("br", "p", "div", "li") and self._cell is not None:
            self._cell.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._silent = max(0, self._silent - 1)
        elif tag in _END_OF_CELL:
            self._end_cell()
            if tag == "table" and self._open:
                self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._cell is not None and not self._silent:
            self._cell.append(data)

    def _begin_row(self) -> None:
        table = self._open[-1]
        table.rows.append([])
        table.lines.append(self.getpos()[0])
        table.heads.append(True)
        self._take_spans(table)

    def _end_cell(self) -> None:
        if self._cell is None or not self._open:
            return
        table, row = self._open[-1], self._open[-1].rows[-1]
        text = " ".join("".join(self._cell).split())
        self._cell = None
        across, down = self._span
        for _ in range(across):
            if down > 1:
                table.spans[len(row)] = (down - 1, text)
            self._put(table, text)
        self._take_spans(table)

    def _take_spans(self, table: _Found) -> None:
        """Fill in the cells of rows above that reach down to here."""
        row = table.rows[-1]
        while len(row) in table.spans:
            left, text = table.spans[len(row)]
            if left == 1:
                del table.spans[len(row)]
            else:
                table.spans[len(row)] = (left - 1, text)
            self._put(table, text)

    def _put(self, table: _Found, text: str) -> None:
        table.rows[-1].append(text)
        table.cells += 1
        if table.cells > _CELLS:
            raise ImportRefused(f"{self._name} has a table of more than {_CELLS:,} cells; that is too much for HTML.",
                                hint="Save it as CSV.")


def read_html(context: Context, source: Path) -> RawTable:
    """Read a table of the page into text columns. Raises ImportRefused, DiskFull."""
    if source.stat().st_size > _MOST:
        raise ImportRefused(f"{context.name} is a page of more than {size(_MOST)}; that is too much for HTML.",
                            hint="Save the table as CSV.")
    text = as_utf8(source, context.scratch / f"{context.number}.utf8", context.problems, context.options.encoding,
                   context.scanned, context.name)
    parser = _Tables(context.name)
    with open(text.path, encoding="utf-8-sig", errors="replace") as file:
        while piece := file.read(1 << 20):
            parser.feed(piece)
            context.check()
    parser.close()
    number, table = _choose(context, parser.found)
    return _raw(context, table, {"format": "html", "encoding": text.encoding, "table": str(number)})


def _choose(context: Context, found: list[_Found]) -> tuple[int, _Found]:
    filled = [(number, table) for number, table in enumerate(found, start=1)
              if len(table.rows) > 1 and any(table.rows)]
    wanted = context.options.table
    context.choices = tuple(str(number) for number, _ in filled)
    if wanted is not None:
        chosen = next((item for item in filled if str(item[0]) == wanted), None)
        if chosen is None:
            raise ImportRefused(f"{context.name} has no table number {wanted!r:.20}.",
                                hint=f"Its tables with rows: {', '.join(str(number) for number, _ in filled[:20])}.")
        return chosen
    if not filled:
        raise ImportRefused(f"{context.name} is HTML without a table that has rows.",
                            hint="The page may build its table by a script; copy it, or save it as CSV.")
    best = max(filled, key=lambda item: item[1].cells)
    if len(filled) > 1:
        other = next(number for number, table in filled if table is not best[1])
        context.problems.add("guesses", f"The table is number {best[0]} of {len(found)} on the page, the one with the "
                             "most cells.", fix=Fix(f"Take table {other}", {"table": str(other)}))
    return best


def _raw(context: Context, table: _Found, reading: dict[str, str | int]) -> RawTable:
    rows = [(line, row, head) for line, row, head in zip(table.lines, table.rows, table.heads, strict=True)
            if any(row)]
    width = max(len(row) for _, row, _ in rows)
    place = 0
    if context.options.header_row:
        place = min(context.options.header_row, len(rows)) - 1
    named = context.options.header_row != 0 and (rows[place][2] or not looks_like_data(rows[place][1]))
    header = rows[place][1] + [""] * (width - len(rows[place][1])) if named else \
        [f"column_{number}" for number in range(1, width + 1)]
    body = rows[place + 1:] if named else rows[place:]
    if not body:
        raise ImportRefused(f"{context.name} has a table with a header and no rows.")
    names = clean_names(header, context.problems, line=rows[place][0] if named else None)
    spool, lines, size = Spool(context.scratch, str(context.number)), Lines.unknown(), batch_rows(width)
    for first in range(0, len(body), size):
        some = body[first:first + size]
        for line, row, _ in some:
            lines.append(line)
            row.extend([""] * (width - len(row)))
        spool.add([text_array(list(column)) for column in zip(*(row for _, row, _ in some), strict=True)], len(some))
        context.parsed(first / len(body))
    return RawTable(names, spool, lines, reading={**reading, "header_line": rows[place][0] if named else 0})


def _number(text: str | None) -> int:
    return max(1, min(_SPAN, int(text))) if text is not None and text.strip().isdecimal() and len(text) < 9 else 1
