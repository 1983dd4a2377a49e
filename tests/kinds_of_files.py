"""One small table as each kind of source there is, with what a user has to say about it: read by window and commands.

Every source says the same ``ROWS``; where a kind needs a choice (a table, a sheet, a header row, levels), there is a
wrong one to be led astray by.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import sqlite3
import threading
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow as pa
import xlwt
from pyarrow import feather, parquet

from tests.data import odf

NAMES = ("id", "day", "city", "price")
ROWS: list[tuple[int, str, str, float]] = [
    (number, f"2024-{number % 12 + 1:02}-15", ("Lyon", "Porto", "Graz")[number % 3], round(3 + number * 1.37 % 90, 2))
    for number in range(1, 61)]
_NOTES = (("what", "who"), ("made by hand", "me"))


@dataclass(frozen=True)
class Kind:
    """A kind of source: ``write`` puts it into a folder and returns it; ``options`` are import options as JSON."""

    name: str
    write: Callable[[Path], Path]
    options: dict[str, Any] = field(default_factory=dict)
    extra: int = 0   # columns beyond the four

    def __str__(self) -> str:
        return self.name


def text(delimiter: str = ",", rows: Iterable[Iterable[object]] = ROWS) -> str:
    """Return the table as delimited text."""
    made = io.StringIO()
    writer = csv.writer(made, delimiter=delimiter, lineterminator="\n")
    writer.writerow(NAMES)
    writer.writerows(rows)
    return made.getvalue()


def read_back(rows: Iterable[Iterable[Any]]) -> list[tuple[Any, ...]]:
    """Return the four columns of what was imported as ``ROWS`` has them: days as text, Graz by its old name."""
    return [(one, str(day)[:10], city.replace("Köln", "Graz"), price) for one, day, city, price, *_ in rows]


def page() -> str:
    """Return an HTML page with a menu and the table."""
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in ROWS)
    heads = "".join(f"<th>{name}</th>" for name in NAMES)
    return ("<html><body><table><tr><th>menu</th></tr><tr><td>home</td></tr></table>"
            f"<table><tr>{heads}</tr>{lines}</table></body></html>")


def _put(name: str, content: bytes | str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return folder / name

    return write


def _semicolons(folder: Path) -> Path:
    """Write decimal commas and days first in an old encoding, as an office in Europe does."""
    rows = [(number, "15." + day[5:7] + ".2024", city.replace("Graz", "Köln"), f"{price:.2f}".replace(".", ","))
            for number, day, city, price in ROWS]
    return _put("office.csv", text(";", rows).encode("cp1252"))(folder)


def _fixed(folder: Path) -> Path:
    lines = [NAMES, *ROWS]
    return _put("shop.txt", "".join(f"{a!s:<8}{b:<12}{c:<10}{d!s:>8}\n" for a, b, c, d in lines))(folder)


def _nested(folder: Path) -> Path:
    items = [{"id": a, "sold": {"day": b, "in": {"city": c}}, "price": d} for a, b, c, d in ROWS]
    return _put("nested.json", json.dumps(items))(folder)


def _records(folder: Path) -> Path:
    return _put("shop.jsonl", "".join(json.dumps(dict(zip(NAMES, row, strict=True))) + "\n" for row in ROWS))(folder)


def _workbook(folder: Path) -> Path:
    """Write two sheets; on the wanted one the names come in row 4, under a title over merged cells."""
    book = openpyxl.Workbook()
    notes = book.active
    assert notes is not None
    notes.title = "Notes"
    for number in range(90):
        notes.append([f"note {number}", *("more" for _ in range(9))])
    sheet = book.create_sheet("Sales")
    for line in (["Sales of the year"], [], ["all prices", "in euros"], NAMES, *ROWS):
        sheet.append(list(line))
    sheet.merge_cells("A1:D1")
    book.save(folder / "book.xlsx")
    return folder / "book.xlsx"


def _old_workbook(folder: Path) -> Path:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Sales")
    for place, line in enumerate((NAMES, *ROWS)):
        for column, value in enumerate(line):
            sheet.write(place, column, value)
    book.save(str(folder / "old.xls"))
    return folder / "old.xls"


def _open_sheet(folder: Path) -> Path:
    lines = [odf.row([odf.cell(value) for value in line]) for line in (NAMES, *ROWS)]
    return _put("open.ods", odf.sheet(*lines))(folder)


def _arrow() -> pa.Table:
    return pa.table({name: list(column) for name, column in zip(NAMES, zip(*ROWS, strict=True), strict=True)})


def _parquet(folder: Path) -> Path:
    parquet.write_table(_arrow(), folder / "shop.parquet")
    return folder / "shop.parquet"


def _feather(folder: Path) -> Path:
    feather.write_feather(_arrow(), folder / "shop.feather")
    return folder / "shop.feather"


def _stream(folder: Path) -> Path:
    with pa.OSFile(str(folder / "shop.arrow"), "wb") as file, pa.ipc.new_stream(file, _arrow().schema) as writer:
        writer.write_table(_arrow())
    return folder / "shop.arrow"


def _fill_database(connection: Any) -> None:
    connection.execute("CREATE TABLE notes (what TEXT, who TEXT)")
    connection.executemany("INSERT INTO notes VALUES (?, ?)", [_NOTES[1]] * 200)
    connection.execute("CREATE TABLE sales (id INTEGER, day TEXT, city TEXT, price DOUBLE)")
    connection.executemany("INSERT INTO sales VALUES (?, ?, ?, ?)", ROWS)
    connection.commit()


def _sqlite(folder: Path) -> Path:
    with closing(sqlite3.connect(folder / "shop.sqlite")) as connection:
        _fill_database(connection)
    return folder / "shop.sqlite"


def _duckdb(folder: Path) -> Path:
    with closing(duckdb.connect(str(folder / "shop.duckdb"))) as connection:
        _fill_database(connection)
    return folder / "shop.duckdb"


def _zip(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "packed.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("read me.txt", "The table is beside this.")
        archive.writestr("data/shop.csv", text())
    return folder / "packed.zip"


def _folder(folder: Path) -> Path:
    """Write a folder of three files, with another below it and a picture among them."""
    parts = folder / "parts"
    (parts / "late").mkdir(parents=True)
    for place, name in enumerate(("one.csv", "two.csv", "late/three.csv")):
        (parts / name).write_text(text(rows=ROWS[place * 20:place * 20 + 20]), "utf-8")
    (parts / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return parts


KINDS = (
    Kind("csv", _put("shop.csv", text())),
    Kind("office-csv", _semicolons),
    Kind("tsv", _put("shop.tsv", text("\t"))),
    Kind("fixed-width", _fixed, {"format": "fixed"}),
    Kind("json-nested", _nested, {"flatten": 2}),
    Kind("jsonl", _records),
    Kind("html", _put("page.html", page()), {"table": "2"}),
    Kind("xlsx", _workbook, {"sheet": "Sales", "header_row": 4}),
    Kind("xls", _old_workbook),
    Kind("ods", _open_sheet),
    Kind("parquet", _parquet),
    Kind("feather", _feather),
    Kind("arrow-stream", _stream),
    Kind("sqlite", _sqlite, {"table": "sales"}),
    Kind("duckdb", _duckdb, {"query": "SELECT * FROM sales"}),
    Kind("zip", _zip),
    Kind("gz", _put("shop.csv.gz", gzip.compress(text().encode(), mtime=0))),
    Kind("zst", _put("shop.csv.zst", pa.compress(text().encode(), codec="zstd", asbytes=True))),
    Kind("folder", _folder, {"provenance": True}, extra=2),
)

# What nobody can read, and a word of the sentence that says so.
BAD = (
    ("empty.csv", b"", "empty"),
    ("cut.parquet", b"PAR1 and no more", "damaged"),
    ("cut.csv.gz", gzip.compress(text().encode(), mtime=0)[:-9], "cut"),
    ("broken.json", b'[{"a": 1}, {"a": ', "JSON"),
    ("noise.xlsx", b"PK\x03\x04" + bytes(range(256)), "damaged"),
    ("noise.sqlite", b"SQLite format 3\x00" + bytes(200), "damaged"),
    ("page.html", b"<html><p>Nothing here.</html>", "without a table"),
)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine; gives the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
