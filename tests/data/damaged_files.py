"""Files of every kind, damaged at random: cut, flipped, doubled, spliced; and what an import may do with them."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import random
import shutil
import sqlite3
import tempfile
import zipfile
from functools import cache
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import xlwt

from mldesk.core.errors import MldeskError
from mldesk.data import ImportOptions, TableView, import_table
from mldesk.wire.objects import ObjectStore
from tests.data.odf import cell, row, sheet

KINDS = ("csv", "tsv", "txt", "json", "jsonl", "html", "xlsx", "xls", "ods", "parquet", "feather", "arrows", "sqlite",
         "zip", "csv.gz", "csv.xz", "csv.zst", "csv.bz2")
_ROWS = [[n, n * 1.5, f"word {n % 7}", f"2024-01-{n % 28 + 1:02}", n % 3 == 0, None if n % 5 else "x,\"y\"\né"]
         for n in range(40)]
_NAMES = ["id", "amount", "text", "day", "flag", "note"]
_SPICE = (
    b'"', b",", b"\n", b"\r", b"\0", b"\xff", b"\xef\xbb\xbf", b"{", b"}", b"[", b"]", b":", b"\\", b"1e999", b"nan",
    b"-", b"9" * 400, b"<table>", b"</td>", b'<c r="XFD1048576"><v>1</v></c>', b"\x00\xd8", b"'", b";", b"\t", b"null",
    b'number-columns-repeated="999999"', b'number-rows-repeated="1000000"', b"\x80", b"PK\x03\x04",
)


@cache
def whole(kind: str) -> bytes:
    """Return a good file of a kind."""
    lines = [",".join(_NAMES)] + [",".join("" if v is None else '"' + str(v).replace('"', '""') + '"' for v in line)
                                  for line in _ROWS]
    csv = "\n".join(lines).encode() + b"\n"
    records = [dict(zip(_NAMES, line, strict=True)) for line in _ROWS]
    table = pa.Table.from_pylist(records)
    out = io.BytesIO()
    if kind in ("parquet", "feather", "arrows"):
        if kind == "parquet":
            pq.write_table(table, out, write_page_checksum=True)
        elif kind == "feather":
            feather.write_feather(table, out)
        else:
            with pa.ipc.new_stream(out, table.schema) as writer:
                writer.write_table(table)
    elif kind == "xlsx":
        book = openpyxl.Workbook()
        for line in [_NAMES, *_ROWS]:
            book.active.append(line)
        book.save(out)
    elif kind == "xls":
        old = xlwt.Workbook()
        page = old.add_sheet("s")
        for place, line in enumerate([_NAMES, *_ROWS]):
            for column, value in enumerate(line):
                page.write(place, column, value)
        old.save(out)
    elif kind == "zip":
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", csv)
            archive.writestr("b/c.csv", csv)
    elif kind == "sqlite":
        return _sqlite()
    else:
        return _text(kind, csv, records)
    return out.getvalue()


def _text(kind: str, csv: bytes, records: list[dict[str, object]]) -> bytes:
    if kind == "ods":
        return sheet(row(map(cell, _NAMES)), *(row(map(cell, map(str, line))) for line in _ROWS))
    return {
        "csv": lambda: csv, "tsv": lambda: csv.replace(b",", b"\t"), "csv.gz": lambda: gzip.compress(csv, mtime=0),
        "csv.xz": lambda: lzma.compress(csv), "csv.zst": lambda: bytes(pa.compress(csv, "zstd", asbytes=True)),
        "csv.bz2": lambda: bz2.compress(csv), "json": lambda: json.dumps(records).encode(),
        "jsonl": lambda: "\n".join(map(json.dumps, records)).encode(),
        "txt": lambda: "".join(f"{n:<6}{n * 1.5:>9} word{n}\n" for n in range(40)).encode(),
        "html": lambda: ("<table><tr>" + "".join(f"<th>{name}" for name in _NAMES) + "".join(
            "<tr>" + "".join(f"<td>{value}</td>" for value in line) for line in _ROWS) + "</table>").encode(),
    }[kind]()


def _sqlite() -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (id INTEGER, amount REAL, text TEXT, day TEXT, flag INTEGER, note TEXT)")
    connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", _ROWS)
    connection.commit()
    content = connection.serialize()
    connection.close()
    return content


def damaged(seed: int) -> tuple[str, bytes]:
    """Return the name and content of a file that is damaged as a seed says."""
    chance = random.Random(seed)
    kind = KINDS[seed % len(KINDS)]
    content = whole(kind)
    if kind in ("xlsx", "ods", "zip") and chance.random() < 0.6:
        content = _inside(content, chance)
    else:
        content = _spoil(content, chance)
    return f"f.{kind if chance.random() < 0.9 else chance.choice(KINDS)}", content


def _inside(content: bytes, chance: random.Random) -> bytes:
    """Damage a member of an archive and pack it anew, so that the damage gets past the checksums."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        names = old.namelist()
        chosen = chance.choice([name for name in names if name.endswith((".xml", ".csv"))] or names)
        for name in names:
            data = old.read(name)
            new.writestr(name if chance.random() < 0.97 else "../" + name,
                         _spoil(data, chance) if name == chosen else data)
    return out.getvalue()


def _spoil(content: bytes, chance: random.Random) -> bytes:
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        if not data:
            break
        place = chance.randrange(len(data))
        kind = chance.randrange(7)
        if kind == 0:
            del data[place:]
        elif kind == 1:
            data[place] ^= 1 << chance.randrange(8)
        elif kind == 2:
            data[place:place] = chance.choice(_SPICE) * chance.choice((1, 1, 2, 50))
        elif kind == 3:
            del data[place:place + chance.randrange(1, 40)]
        elif kind == 4:
            data[place:place + 8] = chance.randbytes(8)
        elif kind == 5:
            other = chance.randrange(len(data))
            data[place:place] = data[min(place, other):max(place, other)][:2000]
        else:
            data[place:place + 4] = chance.choice((b"\xff\xff\xff\x7f", b"\xff" * 4, bytes(4), b"\0\0\0\x80"))
    return bytes(data)


def check(seed: int, root: Path) -> str:
    """Import the file of a seed. Returns "taken" or the sentence of the refusal; raises as ``judge`` does."""
    name, content = damaged(seed)
    folder = Path(tempfile.mkdtemp(dir=root))
    try:
        (folder / name).write_bytes(content)
        return judge(folder / name, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def judge(path: Path, folder: Path) -> str:
    """Import a file or folder, working in ``folder``. Returns "taken" or the sentence of the refusal.

    Raises AssertionError where a refusal is not one sentence or leaves something, and whatever else goes wrong.
    """
    scratch, store = folder / "scratch", ObjectStore(folder / "objects")
    try:
        table = import_table([path], store, scratch, ImportOptions())
    except MldeskError as error:
        assert error.message, "no sentence"
        assert "\n" not in error.message, error.message
        assert len(error.message) < 1500, error.message
        assert not list(scratch.iterdir()) if scratch.exists() else True
        assert not list(store.digests()), "something was left"
        return error.message
    assert not list(scratch.iterdir())
    with TableView(store, table.manifest, table.columns) as view:
        assert len(view.rows(0, 5)) == min(5, table.rows)
    return "taken"
