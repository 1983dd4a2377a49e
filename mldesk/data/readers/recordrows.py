"""Records (from JSON) into rows of text columns, with an eye on records that are not shaped like the others."""

from __future__ import annotations

import json
import math
from collections import Counter
from itertools import zip_longest

import pyarrow as pa

from mldesk.data.readers.careful import LENIENT
from mldesk.data.readers.raw import MAX_COLUMNS, Context, Lines, text_array
from mldesk.data.readers.spool import Spool
from mldesk.data.records import Fix, ImportRefused

_BATCH_CELLS = 500_000
_BATCH_ROWS = 32_768
_ODD = 0.05        # share of records up to which those of another shape are left out, not bent to
_REMEMBERED = 5000  # records of mixed shape that are remembered by line
_EXACT = 1 << 53
_MANY = 4_000      # keys from which on most of them have to come again
_LEFT_OUT = "lines left out"


class RecordRows:
    """Takes records one by one; ``finish`` says which rows turned out not to belong."""

    def __init__(self, context: Context, spool: Spool) -> None:
        self._context, self.spool = context, spool
        self._levels = 1 if context.options.flatten is None else context.options.flatten
        self.names: list[str] = []
        self.lines = Lines.unknown()
        self.left_out = 0
        self._places: dict[tuple[str, ...], int] = {}
        self._plain: dict[str, int] = {}          # the places of keys that are not inside an object
        self._waiting: list[list[str | None]] = []
        self._rows = 0
        self._values = 0                          # of all records so far; the first of a key counts twice
        self._scalars: Counter[str] = Counter()   # key -> records where it is a plain value
        self._nested: Counter[str] = Counter()    # key -> records where it is an object or a list
        self._mixed: dict[int, list[str]] = {}    # row -> keys nested there
        self._raw: dict[int, str] = {}            # row -> its record as JSON, where rejects are wanted
        self._first_row: list[int] = []           # of each column: the row that brought it

    def add(self, record: object, line: int | None) -> None:
        """Take one record. Anything but an object is left out."""
        if not isinstance(record, dict):
            self.leave_out(line, f"holds {_kind(record)} instead of a record", json.dumps(record, ensure_ascii=False))
            return
        row: list[str | None] = [None] * len(self.names)
        self._values += len(record)
        nested: list[str] = []
        for key, value in record.items():
            kind = type(value)
            if kind is dict and value and self._levels:
                nested.append(key)
                self._spread(row, (key,), value, line)
                continue
            if kind is list or kind is dict:
                nested.append(key)
            elif value is not None:
                self._scalars[key] += 1
            text = value if kind is str else self._text(value, key, line)
            place = self._plain.get(key)
            if place is None:
                self._put(row, (key,), text)
            else:
                row[place] = text
        for key in nested:
            self._nested[key] += 1
        if nested and len(self._mixed) < _REMEMBERED:
            self._mixed[self._rows] = nested
            if self._context.rejects is not None:
                self._raw[self._rows] = json.dumps(record, ensure_ascii=False)
        self._append(row, line)

    def _spread(self, row: list[str | None], key: tuple[str, ...], value: dict[str, object], line: int | None) -> None:
        """Put an object's values into columns of their own, as many levels deep as was asked."""
        for inner, item in value.items():
            place = (*key, inner)
            if isinstance(item, dict) and item and len(place) <= self._levels:
                self._spread(row, place, item, line)
            else:
                self._put(row, place, self._text(item, ".".join(place), line))

    def leave_out(self, line: int | None, why: str, raw: str = "") -> None:
        """Name a line that is not taken. ``raw`` is what stands there."""
        self.left_out += 1
        where = f"Line {line}" if line is not None else f"Record {self._rows + self.left_out}"
        self._context.reject(line, why, raw)
        self._context.problems.add(_LEFT_OUT, f"{where} {why}; it was left out.", line=line, fix=LENIENT)
        if self.left_out >= 1000 and self.left_out > 3 * self._rows and not self._context.lenient:
            raise ImportRefused(f"{self._context.name} is not a list of records: {self.left_out:,} lines are none, the "
                                f"last being line {line}.")

    def finish(self) -> frozenset[int]:
        """Write what is waiting; return the rows whose shape is not that of the others, each named as a problem."""
        self._flush()
        if self.left_out > self._rows and not self._context.lenient:
            raise ImportRefused(f"{self._context.name}: {self.left_out:,} of {self.left_out + self._rows:,} lines are "
                                "not records.", hint="One JSON object per line, or a list of objects, makes a table.",
                                fixes=(LENIENT,))
        clashing = {key for key, count in self._nested.items() if self._scalars[key]}
        odd = {key for key in clashing if self._nested[key] <= max(1, _ODD * self._scalars[key])}
        dropped = {row: keys for row, keys in self._mixed.items() if any(key in odd for key in keys)}
        for row, keys in dropped.items():
            key = next(key for key in keys if key in odd)
            line = self.lines.of(row)
            where = f"Line {line}" if line is not None else f"Record {row + 1}"
            self._context.reject(line, f"has a list or record in {key!r}", self._raw.get(row, ""))
            self._context.problems.add(_LEFT_OUT, f"{where} has a list or record in {key!r}, where the others have a "
                                       "plain value; it was left out.", line=line, column=key, fix=LENIENT)
        for key in sorted(clashing - odd):
            self._context.problems.add("remarks", f"{key!r} holds plain values in some records and lists or records in "
                                       "others.", column=key,
                                       fix=Fix(f"Leave the column {key!r} out", {"without": [key]}))
        self._drop_columns_of(dropped)
        return frozenset(dropped)

    def _drop_columns_of(self, dropped: dict[int, list[str]]) -> None:
        """Forget the columns that only the dropped rows had."""
        if not dropped:
            return
        filled = [0] * len(self.names)
        row = 0
        for arrays in self.spool.batches():
            for index, values in enumerate(arrays):
                filled[index] += len(values) - values.null_count
            for gone in (gone for gone in dropped if row <= gone < row + len(arrays[0])):
                for index, values in enumerate(arrays):
                    filled[index] -= values[gone - row].is_valid
            row += len(arrays[0])
        only_there = {index for index, count in enumerate(filled) if not count and self._first_row[index] in dropped}
        if not only_there:
            return
        kept = [index for index in range(len(self.names)) if index not in only_there]
        whole = Spool(self.spool.folder, self.spool.name + ".kept")
        for arrays in self.spool.batches(kept):
            whole.add(arrays, len(arrays[0]))
        self.spool.clear()
        self.spool, self.names = whole, [self.names[index] for index in kept]

    def _put(self, row: list[str | None], key: tuple[str, ...], text: str | None) -> None:
        """Set a value, in a new column if the key is new."""
        place = self._places.get(key)
        self._values += 1
        if place is None:
            place = self._places[key] = len(self.names)
            # Every row has a place for every key: where hardly any key comes twice, that grows with the square.
            sparse = place >= _MANY and self._rows >= 1000 and self._values < 4 * place
            if place >= MAX_COLUMNS or sparse:
                most, often = (_MANY, ", hardly one of them twice") if sparse else (MAX_COLUMNS, "")
                raise ImportRefused(f"{self._context.name} has more than {most:,} different keys{often}.",
                                    hint="Keys become columns; perhaps ids are written as keys.")
            if len(key) == 1:
                self._plain[key[0]] = place
            self.names.append(".".join(key))
            self._first_row.append(self._rows)
        if place >= len(row):
            row.extend([None] * (place + 1 - len(row)))
        row[place] = text

    def _text(self, value: object, key: str, line: int | None) -> str | None:
        """Return a value as the text that a CSV file would have."""
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, float):
            return self._float(value, key, line)
        if isinstance(value, int):
            return str(value)  # the parser took no more than 4300 digits
        return json.dumps(value, ensure_ascii=False)

    def _float(self, value: float, key: str, line: int | None) -> str | None:
        if math.isfinite(value):
            # JSON knows no whole numbers: 181.0 and 181 are one value.
            return str(int(value)) if value.is_integer() and abs(value) < _EXACT else repr(value)
        where = f"Line {line}: " if line is not None else ""
        if math.isnan(value):
            self._context.problems.add("values that are not JSON", f"{where}NaN in {key!r} is not JSON; read as "
                                       "missing.", line=line, column=key, fix="NaN says that there is no number, "
                                       "which is what missing means.")
            return None
        return repr(value)

    def _append(self, row: list[str | None], line: int | None) -> None:
        self.lines.append(line if line is not None else 0)
        self._waiting.append(row)
        self._rows += 1
        if len(self._waiting) >= _BATCH_ROWS or len(self._waiting) * len(self.names) >= _BATCH_CELLS:
            self._flush()

    def _flush(self) -> None:
        """Write the waiting rows; those that came before a column did are shorter."""
        if self._waiting:
            columns = [text_array(list(column)) for column in zip_longest(*self._waiting)]
            columns += [pa.nulls(len(self._waiting), pa.string())] * (len(self.names) - len(columns))
            self.spool.add(columns, len(self._waiting))
            self._waiting = []


def _kind(record: object) -> str:
    if isinstance(record, list):
        return "a list"
    return "nothing" if record is None else f"{json.dumps(record, ensure_ascii=False)[:40]}"


