"""The code that some functions need, out of many modules, as one text that imports nothing of the application.

Definitions are taken as they are written, with whatever they name, so that what a script does is what the application
does. They come module by module, in the order of imports. Annotations need not be there to run: of what they alone
name, only aliases are taken.
"""

from __future__ import annotations

import ast
import builtins
import importlib.util
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

_OURS = "mldesk."
_LEFT_OUT = {"to_json", "from_json", "read"}    # methods for what is stored or typed: a script has neither


@dataclass(slots=True)
class _Module:
    """One module, taken apart."""

    name: str
    lines: list[bytes]
    defined: dict[str, ast.stmt]
    ours: dict[str, tuple[str, str]]     # name: where it is defined
    others: dict[str, str]               # name: the import statement


@dataclass(slots=True)
class _Taken:
    """What was found to be needed."""

    left_out: Collection[str] = ()                                  # methods
    order: list[str] = field(default_factory=list)                  # modules, those that others need first
    names: dict[str, set[str]] = field(default_factory=dict)        # of each module
    imports: set[str] = field(default_factory=set)
    unsaid: set[str] = field(default_factory=set)                   # named by annotations only


def plain_source(wanted: Iterable[tuple[str, str]], reads: bool = False) -> tuple[list[str], str]:
    """Return the import statements and the code that ``wanted``, (module, name) each, need.

    ``reads``: the code reads what was stored as JSON, so that classes need their ``from_json``.
    Raises ValueError where a name cannot be taken over; what is written today can, which a test holds.
    """
    taken, wanted = _Taken(_LEFT_OUT - ({"from_json"} if reads else set())), list(wanted)
    for module, name in wanted:
        _take(taken, module, name)
    _sort(taken)
    renamed = _apart(taken, set(wanted))
    texts = ["\n\n\n".join(_texts(_module(name), taken.names[name], renamed, taken.left_out)) for name in taken.order]
    aliases = "".join(f"{name} = Any\n" for name in sorted(taken.unsaid))
    if aliases:
        taken.imports.add("from typing import Any")
        texts.insert(0, f"# Named by annotations only.\n{aliases}".rstrip())
    return _together(taken.imports), "\n\n\n".join(texts) + "\n"


def _together(imports: Iterable[str]) -> list[str]:
    """Return import statements in order, the names of one module in one of them."""
    names: dict[str, list[str]] = {}
    for line in sorted(imports, key=str.casefold):
        start, found, name = line.partition(" import ")
        names.setdefault(start if found else line, []).extend([name] if found else [])
    lines = [f"{start} import {', '.join(found)}" if found else start for start, found in names.items()]
    standard = [line for line in lines if line.split()[1].partition(".")[0] in sys.stdlib_module_names]
    return [*standard, *([""] if standard else []), *(line for line in lines if line not in standard)]


@cache
def _module(name: str) -> _Module:
    spec = importlib.util.find_spec(name)
    source = getattr(spec.loader, "get_source", lambda _name: None)(name) if spec else None
    if source is None:
        raise ValueError(f"the source of {name} is not there")
    found = _Module(name, source.encode().split(b"\n"), {}, {}, {})
    for statement in ast.parse(source).body:
        for each in _defined(statement):
            found.defined[each] = statement
        _imported(found, statement)
    return found


def _defined(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        yield statement.name
    elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
        for target in statement.targets if isinstance(statement, ast.Assign) else [statement.target]:
            yield from (node.id for node in ast.walk(target) if isinstance(node, ast.Name))


def _imported(module: _Module, statement: ast.stmt) -> None:
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            module.others[alias.asname or alias.name.split(".")[0]] = f"import {alias.name}" + (
                f" as {alias.asname}" if alias.asname else "")
    elif isinstance(statement, ast.ImportFrom):
        for alias in statement.names:
            if (statement.module or "").startswith(_OURS):
                module.ours[alias.asname or alias.name] = (str(statement.module), alias.name)
            else:
                module.others[alias.asname or alias.name] = f"from {statement.module} import {alias.name}" + (
                    f" as {alias.asname}" if alias.asname else "")


def _take(taken: _Taken, name: str, wanted: str) -> None:
    """Take a definition, and all it needs, once."""
    module = _module(name)
    if wanted in taken.names.get(name, ()):
        return
    if wanted not in module.defined:
        raise ValueError(f"{name} defines no {wanted}")
    statement = module.defined[wanted]
    taken.names.setdefault(name, set()).update(_defined(statement))
    inside = _inside(statement)
    for each, said in _names(statement, taken.left_out):
        if each in inside:
            _take(taken, *inside[each])
        elif each in module.defined:
            if not said or _alias(module.defined[each]):
                _take(taken, name, each)
            else:
                taken.unsaid.add(each)
        elif each in module.ours:
            place, original = module.ours[each]
            if said and not _alias(_module(place).defined.get(original)):
                taken.unsaid.add(each)
            else:
                _take(taken, place, original)
        elif each in module.others and not (said and module.others[each].startswith("import torch")):
            taken.imports.add(module.others[each])
        elif not hasattr(builtins, each):
            continue  # a local name


def _alias(statement: ast.stmt | None) -> bool:
    return isinstance(statement, (ast.Assign, ast.AnnAssign))


def _names(statement: ast.AST, left_out: Collection[str], said: bool = False) -> Iterator[tuple[str, bool]]:
    """Return every name that is read, and whether an annotation says it."""
    if isinstance(statement, ast.Name):
        yield statement.id, said
    for name, value in ast.iter_fields(statement):
        about = said or name in ("annotation", "returns")
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.FunctionDef) and child.name in left_out:
                continue
            if isinstance(child, ast.AST):
                yield from _names(child, left_out, about)
            elif about and isinstance(child, str) and name == "value":
                yield from _names(ast.parse(child, mode="eval"), left_out, True)


def _inside(statement: ast.AST) -> dict[str, tuple[str, str]]:
    """Return what functions import of ours when they are called."""
    return {alias.asname or alias.name: (str(node.module), alias.name) for node in ast.walk(statement)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(_OURS) for alias in node.names}


def _sort(taken: _Taken) -> None:
    """Put modules behind those that they import."""
    def visit(name: str) -> None:
        if name in taken.order:
            return
        for place, _ in _module(name).ours.values():
            if place in taken.names:
                visit(place)
        taken.order.append(name)

    for name in list(taken.names):
        visit(name)
    defined = {each for names in taken.names.values() for each in names}
    taken.unsaid -= defined


def _apart(taken: _Taken, wanted: set[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
    """Return new names for what more than one module calls alike; ``wanted`` keep theirs.

    Raises ValueError for public functions: their names are those of arguments, too.
    """
    owners: dict[str, list[str]] = {}
    for module, names in taken.names.items():
        for name in names:
            owners.setdefault(name, []).append(module)
    renamed = {}
    for name, modules in owners.items():
        for module in modules if len(modules) > 1 else ():
            if name[0].islower():
                raise ValueError(f"{name} is defined by {', '.join(modules)}")
            if (module, name) not in wanted:
                renamed[module, name] = f"{name}_of_{module.rpartition('.')[2]}"
    return renamed


def _texts(module: _Module, names: set[str], renamed: Mapping[tuple[str, str], str],
           left_out: Collection[str]) -> Iterator[str]:
    """Return a module's definitions as they are written; short ones that follow one another together."""
    statements = dict.fromkeys(statement for name, statement in module.defined.items() if name in names)
    short: list[str] = []
    for statement in sorted(statements, key=lambda item: item.lineno):
        text = _text(module, statement, renamed, left_out)
        if _alias(statement):
            short.append(text)
            continue
        if short:
            yield "\n".join(short)
            short = []
        yield text
    if short:
        yield "\n".join(short)


def _text(module: _Module, statement: ast.stmt, renamed: Mapping[tuple[str, str], str],
          left_out: Collection[str]) -> str:
    lines = dict(enumerate(module.lines, start=1))
    edits = []
    for node in ast.walk(statement):
        if isinstance(node, (ast.Name, ast.FunctionDef, ast.ClassDef)):
            own = node.id if isinstance(node, ast.Name) else node.name
            new = renamed.get((module.name, own) if own in module.defined else module.ours.get(own, ("", "")))
            if new and (isinstance(node, ast.Name) or node is statement):
                skip = 0 if isinstance(node, ast.Name) else len(
                    "def " if isinstance(node, ast.FunctionDef) else "class ")
                edits.append((node.lineno, node.col_offset + skip, own.encode(), new.encode()))
    for line, column, old, other in sorted(edits, reverse=True):
        lines[line] = lines[line][:column] + other + lines[line][column + len(old):]
    gone = {line for node in ast.walk(statement) if isinstance(node, ast.stmt) and _needless(node, statement, left_out)
            for line in range(_first(node), (node.end_lineno or 0) + 1)}
    first = _first(statement)
    while module.lines[first - 2].startswith(b"#"):   # the comment above it
        first -= 1
    kept = [lines[line] for line in range(first, (statement.end_lineno or 0) + 1) if line not in gone]
    return b"\n".join(kept).decode().rstrip().replace("\n\n\n", "\n\n")


def _needless(node: ast.stmt, whole: ast.stmt, left_out: Collection[str]) -> bool:
    if isinstance(node, ast.FunctionDef):
        return node is not whole and node.name in left_out
    return isinstance(node, ast.ImportFrom) and (node.module or "").startswith(_OURS)


def _first(node: ast.stmt) -> int:
    """Return the line on which a statement begins, its decorators among it."""
    decorators = node.decorator_list if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else []
    return min([node.lineno, *(item.lineno for item in decorators)])
