"""Whatever an import remarks on comes with what might put it right, which does so, or with why nothing does."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
from pyarrow import parquet

from mldesk.data import ImportOptions, ImportPreview, preview_import

READERS = Path(__file__).parents[2] / "mldesk" / "data"
Write = Callable[[Path], list[Path]]


def _text(*contents: str | bytes, name: str = "t{}.csv") -> Write:
    def write(folder: Path) -> list[Path]:
        paths = [folder / name.format(number) for number in range(len(contents))]
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return paths

    return write


def _book(lines: list[list[object]], *areas: str, more: tuple[str, ...] = ()) -> Write:
    def write(folder: Path) -> list[Path]:
        book = openpyxl.Workbook()
        sheet = book.worksheets[0]
        for line in lines:
            sheet.append(line)
        for area in areas:
            sheet.merge_cells(area)
        for name in more:
            book.create_sheet(name)
        book.save(folder / "b.xlsx")
        return [folder / "b.xlsx"]

    return write


def _parquet(*tables: dict[str, Any]) -> Write:
    def write(folder: Path) -> list[Path]:
        paths = [folder / f"p{number}.parquet" for number in range(len(tables))]
        for path, table in zip(paths, tables, strict=True):
            parquet.write_table(pa.table(table), path)
        return paths

    return write


def _partitions(folder: Path) -> list[Path]:
    for year in (2023, 2024):
        (folder / f"a={year}").mkdir()
        parquet.write_table(pa.table({"a": [year], "b": [1]}), folder / f"a={year}" / "x.parquet")
    return [folder]


_ROWS: list[list[object]] = [["a", "b", "c"], [1, 2, 3], [4, 5, 6], [7, 8, 9], [1, 2, 3]]
_CODES = "a,b\n" + "123456789012345678901,1\n" * 3
# For each kind of problem: files that have it, and what was said about them.
EXAMPLES: dict[str, list[tuple[Write, dict[str, Any]]]] = {
    "columns renamed": [(_text("a,a,\n1,2,3\n"), {}), (_text("a,b\nx,1,2\ny,3,4\n"), {})],
    "lines left out": [(_text("a,b,c\n1,2,3\n4,5\n6,7,8\n"), {}), (_text("a,b\n1,2\n#,no,row\n3,4\n"), {}),
                       (_text("Report\n\na,b,c\n1,2,3\n4,5,6\n"), {}), (_text('a,b\n1,2\n3,"4\n5,6\n'), {}),
                       (_text('{"a": 1}\n[]\n{"a": 2}\n', name="{}.jsonl"), {})],
    "very long rows": [(_text('a,b\n1,"' + "x\n" * 30 + 'y"\n2,z\n'), {})],
    "empty lines": [(_text("a,b\n1,2\n\n3,4\n"), {})],
    "guesses": [(_text("1,2\n3,4\n"), {}), (_text("a\nœuf\nété\n".encode("cp1252")), {}),
                (_text("a,b\n1/2/2024,1\n"), {}), (_text("a;b\n10%;€ 5\n"), {}), (_text("a;b\n1,5;2\n"), {}),
                (_book(_ROWS[1:]), {}), (_book([["Report"], [], *_ROWS]), {}), (_book(_ROWS, more=("x",)), {})],
    "columns left out": [(_partitions, {})],
    "remarks": [(_text("a\nx\n"), {}), (_text(json.dumps({"rows": [{"a": 1}], "n": 1}), name="{}.json"), {}),
                (_parquet({"a": [[1]], "b": [1]}), {})],
    "remarks on missing values": [(_text("a,b\n1,-\n2,3\n"), {}), (_text("a,b\n1,?\n2,3\n"), {})],
    "merged cells": [(_book(_ROWS, "A2:A3"), {}), (_book([["x", "y"], *_ROWS], "B1:D1"), {"header_row": 2})],
    "rows left out": [(_book([*_ROWS, ["Total", None, None]]), {}), (_book([["Report"], [], *_ROWS]), {})],
    "empty rows": [(_book([*_ROWS, [], *_ROWS[1:]]), {})],
    "columns that a file lacks": [(_text("a,b\n1,2\n", "a\n3\n"), {"union": True})],
    "infinite values": [(_text("a,b\n1.5,2\ninf,3\n"), {})],
    "values that do not fit": [(_text("a,b\nx,2\n3,4\n"), {"types": [["a", "integer"]]})],
    "columns of two types": [(_parquet({"a": [1]}, {"a": [1.5]}), {})],
    "files left out": [(_text("a,b\n1,2\n", ""), {"skip_bad_files": True})],
    "sheets left out": [(_book(_ROWS, more=("empty",)), {"sheets": ["*"]})],
    "lines with bytes that are not UTF-8": [(_text(b"a,b\n" + "é,ü\n".encode() * 20 + b"x,\xe9\n"), {})],
    "lines with bytes that cannot be read": [(_text(b"a,b\n" + "é,ü\n".encode("cp1252") * 20 + b"x,\x81\n"), {})],
    "NUL characters": [(_text("a,b\n1,x\0y\n2,z\n"), {})],
    "values that are not JSON": [(_text('{"a": 1}\n{"a": NaN}\n', name="{}.jsonl"), {})],
    "columns kept as text": [(_text(_CODES), {}), (_text("a,b\n" + "1,x\n" * 9 + "u,x\n"), {})],
}


def _kinds() -> set[str]:
    """Return the kinds of problems that the sources name."""
    found = set()
    for path in READERS.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        said = {target.id: node.value.value for node in tree.body
                if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
                for target in node.targets if isinstance(target, ast.Name)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add" \
                    and any(word.arg == "fix" for word in node.keywords):
                kind = node.args[0]
                name = kind.value if isinstance(kind, ast.Constant) else said.get(getattr(kind, "id", ""), "")
                found |= {str(name)} - {""}
    return found


def test_every_kind_of_problem_is_among_the_examples() -> None:
    assert _kinds() | {"sheets left out"} == set(EXAMPLES)   # which is noted before the sheets are read


def _look(paths: list[Path], options: ImportOptions, scratch: Path) -> ImportPreview:
    return preview_import(paths, options, scratch)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_problem_has_a_fix_that_mends_it_or_says_why_there_is_none(kind: str, scratch: Path, tmp_path: Path) -> None:
    for number, (write, said) in enumerate(EXAMPLES[kind]):
        folder = tmp_path / str(number)
        folder.mkdir()
        paths, options = write(folder), ImportOptions.from_json(said)
        found = _look(paths, options, scratch)
        assert kind in {problem.kind for problem in found.problems}, found.problems
        for problem in found.problems:
            assert (problem.fix is None) != (not problem.unfixed), problem
            if problem.fix is not None and problem.fix.changes != {"lenient": True}:
                after = _look(paths, options.changed(problem.fix.changes), scratch)
                assert problem.message not in {one.message for one in after.problems}, problem
