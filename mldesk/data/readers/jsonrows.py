"""JSON and JSON lines: records become rows, objects in them one level of columns, anything deeper JSON text.

A line that is no record, or whose shape is not that of the others, is left out and named.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from mldesk.core.sizes import size
from mldesk.data.names import clean_names
from mldesk.data.readers.careful import EMPTY
from mldesk.data.readers.json_objects import Rest, Walk, lists_in
from mldesk.data.readers.raw import Context, RawTable
from mldesk.data.readers.recordrows import RecordRows
from mldesk.data.readers.sampling import SAMPLE
from mldesk.data.readers.spool import Spool
from mldesk.data.records import Fix, ImportRefused
from mldesk.data.sources.encoding import as_utf8

_WHOLE = 100_000_000         # bytes of a JSON file that is one object without a list of records, which is read whole
_PIECE = 1024 * 1024         # characters of an array that are read at once
_LONGEST = 64 * 1024 * 1024  # characters of one record
_LINES = "Write it as JSON lines: one record per line."
_QUOTE = "Write it as text, in quotes."


def read_json(context: Context, source: Path, kind: str) -> RawTable:
    """Read ``source`` into text columns. Raises ImportRefused, ImportCancelled, DiskFull."""
    text = as_utf8(source, context.scratch / f"{context.number}.utf8", context.problems, context.options.encoding,
                   context.scanned, context.name)
    rows = RecordRows(context, Spool(context.scratch, str(context.number)))
    with open(text.path, encoding="utf-8-sig", errors="replace", newline="") as file:
        first = _first_letter(file)
        if first == "[" and kind == "json":
            kind = "json"
            _read_array(context, file, rows)
        elif kind == "jsonl" or (first == "{" and _is_lines(file)):
            kind = "jsonl"
            _read_lines(context, file, rows)
        elif first == "{":
            _read_object(context, text.path, file, rows)
        else:
            raise ImportRefused(f"{context.name} is not JSON: it begins with {first!r:.10}.")
    dropped = rows.finish()
    if rows.spool.rows and not rows.names:
        raise ImportRefused(f"{context.name} holds no columns: its records are empty.",
                            hint='A table in JSON is a list of records: [{"a": 1}, …].')
    if not rows.spool.rows - len(dropped):
        raise ImportRefused(f"{context.name} holds no records" + (" that can be read." if rows.left_out else "."),
                            hint='A table in JSON is a list of records: [{"a": 1}, …].')
    names = clean_names(rows.names, context.problems)
    return RawTable(names, rows.spool, rows.lines, drop_rows=dropped,
                    reading={"format": kind, "encoding": text.encoding})


def _first_letter(file: TextIO) -> str:
    letter = file.read(1)
    while letter and letter.isspace():
        letter = file.read(1)
    file.seek(0)
    return letter


def _is_lines(file: TextIO) -> bool:
    """Say whether the first line that is not blank is a record of its own and more follows."""
    line = file.readline()
    while line and not line.strip():
        line = file.readline()
    more = any(part.strip() for part in iter(lambda: file.read(4096), ""))
    file.seek(0)
    try:
        return more and isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _read_lines(context: Context, file: TextIO, rows: RecordRows) -> None:
    empty: list[int] = []
    read = 0
    for line, text in enumerate(file, start=1):
        read += len(text)
        if line % 4096 == 0:
            context.parsed(read / max(1, context.size))
        if not text.strip():
            empty.append(line)
            continue
        for number in empty:
            context.problems.add("empty lines", f"Line {number} is empty; it was left out.", line=number,
                                 fix=EMPTY)
        empty.clear()
        try:
            record = json.loads(text)
        except json.JSONDecodeError as error:
            rows.leave_out(line, f"is not whole JSON ({_lower(error.msg)})", text)
            continue
        except ValueError:  # Python's limit on the digits of a whole number
            rows.leave_out(line, f"has {_digits()}", text)
            continue
        except RecursionError:
            rows.leave_out(line, "is nested too deep", text)
            continue
        rows.add(record, line)


def _digits() -> str:
    return f"a number of more than {sys.get_int_max_str_digits():,} digits"


def _lower(text: str) -> str:
    return (text[:1].lower() + text[1:]).rstrip(":").removesuffix(" at").removesuffix(" starting")[:80]


def _read_array(context: Context, file: TextIO | Rest, rows: RecordRows, line: int = 1) -> None:
    """Read a list of records piece by piece, so that memory does not grow with the file."""
    decoder = json.JSONDecoder()
    buffer, at, read, ended = "", 0, 0, False
    opened = False
    while True:
        at, line = _skip(buffer, at, line, "," if opened else "")
        if at >= len(buffer) and not ended:
            buffer, at = file.read(_PIECE), 0
            read, ended = read + len(buffer), not buffer
            context.parsed(read / max(1, context.size))
            continue
        if at >= len(buffer) and context.sampled:
            return
        if at >= len(buffer):
            raise ImportRefused(f"{context.name} ends in line {line} before its list of records does: it is not whole.")
        if not opened:
            opened, at = True, at + 1  # the bracket that was seen before
            continue
        if buffer[at] == "]":
            return
        try:
            record, end = decoder.raw_decode(buffer, at)
            unfinished = end == len(buffer) and not ended  # a number may go on
        except (ValueError, RecursionError) as error:
            if ended and context.sampled:
                return  # the record goes on after what a preview looks at
            if ended or len(buffer) - at > _LONGEST or not isinstance(error, json.JSONDecodeError):
                raise _broken(context, buffer, at, line, error) from error
            unfinished = True
        if unfinished:
            more = file.read(max(_PIECE, len(buffer) - at))
            buffer, at, read, ended = buffer[at:] + more, 0, read + len(more), not more
            context.parsed(read / max(1, context.size))
            continue
        rows.add(record, line)
        line += buffer.count("\n", at, end)
        at = end


def _skip(buffer: str, at: int, line: int, also: str) -> tuple[int, int]:
    while at < len(buffer) and (buffer[at].isspace() or (also and buffer[at] == also)):
        line += buffer[at] == "\n"
        at += 1
    return at, line


def _broken(context: Context, buffer: str, at: int, line: int, error: Exception) -> ImportRefused:
    where, reason = line, "it is nested too deep"
    if isinstance(error, json.JSONDecodeError):
        where += buffer.count("\n", at, error.pos)
        reason = _lower(error.msg)
    elif isinstance(error, ValueError):
        return ImportRefused(f"{context.name} has {_digits()}, in the record that begins in line {line}.",
                             hint=_QUOTE)
    return ImportRefused(f"{context.name} is not whole JSON: in line {where}, {reason}.",
                         hint="Mend that place, or write one record per line (JSON lines): there a broken line is left "
                              "out.")


def _read_object(context: Context, path: Path, file: TextIO, rows: RecordRows) -> None:
    """Read {"column": [values]}, {"column": {"row": value}} or {"anything": [records]}, the list perhaps deeper."""
    large = context.sampled or path.stat().st_size > SAMPLE
    if large and _read_list_within(context, file, rows):
        return
    if context.sampled:
        raise ImportRefused(f"{context.name} is one large JSON object with no list of records near its beginning; "
                            "there is no preview of such files.", hint=_LINES)
    if path.stat().st_size > _WHOLE:
        raise ImportRefused(f"{context.name} is one JSON object of more than {size(_WHOLE)} without a list of records.",
                            hint=_LINES)
    file.seek(0)
    try:
        whole = json.load(file)
    except json.JSONDecodeError as error:
        raise ImportRefused(f"{context.name} is not whole JSON: in line {error.lineno}, {_lower(error.msg)}."
                            ) from error
    except ValueError as error:
        raise ImportRefused(f"{context.name} has {_digits()}.", hint=_QUOTE) from error
    except RecursionError as error:
        raise ImportRefused(f"{context.name} is nested too deep.") from error
    for number, record in enumerate(_records(context, whole), start=1):
        rows.add(record, None)
        if number % 4096 == 0:
            context.check()


def _read_list_within(context: Context, file: TextIO, rows: RecordRows) -> bool:
    """Read the first list of records in a large object, or the one asked for; say whether there is one."""
    walk = Walk(file, lambda read: context.parsed(0.1 * read / max(1, context.size)))
    try:
        found = walk.to_list(context.options.table)
    except (ValueError, RecursionError) as error:
        raise ImportRefused(f"{context.name} is not whole JSON: {_lower(str(error))}.") from error
    if found is None:
        return False
    name, rest = found
    context.problems.add("remarks", f"The table is the list {name!r}; what stands beside it was left out.",
                         fix="The object is too large to look for other lists; one can be named (--table).")
    _read_array(context, rest, rows, walk.line)
    return True


def _records(context: Context, whole: Mapping[str, Any]) -> Iterator[Any]:
    within = dict(lists_in(whole))
    wanted = context.options.table
    if wanted is not None and wanted not in within:
        raise ImportRefused(f"{context.name} holds no list of records {wanted!r:.80}.",
                            hint=f"It holds: {', '.join(list(within)[:10]) or 'none'}.")
    flat = any(isinstance(value, list) for value in whole.values())
    if wanted is not None or (within and not flat and not _is_columns(whole)):
        inside = wanted or max(within, key=lambda path: len(within[path]))
        _say_which(context, inside, within)
        return iter(within[inside])
    lists = {key: value for key, value in whole.items() if isinstance(value, list)}
    of_records = [key for key, value in lists.items() if value and all(isinstance(item, dict) for item in value[:100])]
    if (of_records and len(of_records) < len(whole)) or len(of_records) == 1:
        key = max(of_records, key=lambda name: len(lists[name]))
        if len(whole) > 1:
            _say_which(context, key, within)
        return iter(lists[key])
    if lists and len(lists) == len(whole):
        lengths = {len(value) for value in lists.values()}
        if len(lengths) > 1:
            short = min(lists, key=lambda name: len(lists[name]))
            raise ImportRefused(f"{context.name}: the column {short!r} has {len(lists[short]):,} values, others have "
                                f"{max(lengths):,}.")
        return (dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True))
    if whole and all(isinstance(value, dict) for value in whole.values()):
        keys = list(dict.fromkeys(key for value in whole.values() for key in value))
        return ({name: column.get(key) for name, column in whole.items()} for key in keys)
    return iter([whole])


def _say_which(context: Context, chosen: str, within: Mapping[str, Any]) -> None:
    context.choices = tuple(within)
    other = next((path for path in within if path != chosen), None)
    context.problems.add("remarks", f"The table is the list {chosen!r}; what stands beside it was left out.",
                         fix="There is no other list of records." if other is None else
                         Fix(f"Take the list {other!r}", {"table": other}))


def _is_columns(whole: Mapping[str, Any]) -> bool:
    """Say whether an object is {"column": {"row": value}} with as many rows in each."""
    sizes = {len(value) if isinstance(value, Mapping) else -1 for value in whole.values()}
    return len(sizes) == 1 and -1 not in sizes and len(whole) > 1
