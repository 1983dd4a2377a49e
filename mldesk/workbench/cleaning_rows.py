"""Rows to predict that are as they were before cleaning: the recipes of a model's table, done again to them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mldesk.bundles.names import RECIPE
from mldesk.core.errors import BadInput, NotFound
from mldesk.core.scratch import working_folder
from mldesk.data.near import did_you_mean
from mldesk.library import Library
from mldesk.library.records import ModelVersion
from mldesk.workbench.references import listed, parse_reference

if TYPE_CHECKING:  # duckdb loads with them
    from mldesk.bundles import Predictor
    from mldesk.data.contracts.check import CheckedFile
    from mldesk.data.contracts.rejects import AsRead
    from mldesk.data.recipes.new_rows import Recipe
    from mldesk.data.records import ImportOptions


_LOOKED_AT = 200   # rows of a file, for whether it is cleaned already


@dataclass(frozen=True, slots=True)
class Chain:
    """How a model's table came of what was imported."""

    recipes: tuple[Recipe, ...] = ()   # the oldest first
    why_not: str = ""                  # why they cannot be done to new rows

    @property
    def label(self) -> str:
        return self.recipes[-1].label if self.recipes else ""

    @property
    def usable(self) -> bool:
        return bool(self.recipes) and not self.why_not


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Rows of a file after cleaning."""

    rows: Path                     # Parquet: the columns of the model's table
    places: Path                   # Parquet: of each of them the row in the file (from 1)
    read: AsRead                   # the file as it was
    reasons: tuple[Path, ...]      # Parquet: row, column and reason of those that are left out
    lines: Path                    # lines of the file that were no rows
    left_out: int
    notes: tuple[str, ...]
    had: tuple[str, ...] = ()      # columns of the file as it was
    called: Mapping[str, str] = field(default_factory=dict)   # some of those in ``rows``, see ``with_columns``

    def hint(self, name: str, chain: Chain, predictor: Predictor) -> str:
        """Say which column of the file a column is that cleaning gives, or which one may be meant."""
        plain = columns_needed(chain, predictor)
        made_of = [item for item in columns_needed(chain, predictor, [name]) if item not in plain and item in self.had]
        if len(made_of) == 1:
            return f"Cleaning makes it of {made_of[0]!r:.80}, which can be kept."
        return did_you_mean(name, self.had) or f"The file has: {listed(self.had)}."


def brought(library: Library, version: ModelVersion) -> Chain:
    """Return what a model that came in a bundle brought of how its table was cleaned."""
    from mldesk.bundles import recipe

    for entry in library.objects.manifest(version.manifest).entries:
        if entry.path == RECIPE:
            return Chain(recipe.from_bytes(library.objects.read(entry.sha256)))
    return Chain()


def chain_of(library: Library, version: ModelVersion) -> Chain:
    """Return what was done to the rows that a model learned from. Raises BadBundle for what came in one and is bad."""
    if version.run is None:
        return brought(library, version)
    from mldesk.data.recipes.new_rows import Recipe, why_not
    from mldesk.data.recipes.steps import check_steps

    try:
        name, number = parse_reference(version.dataset)
        now = library.datasets.version(name, number)
    except (NotFound, BadInput):
        return Chain()
    merged = {file.version for file in library.contracts.accepted(now.dataset)}
    found: list[Recipe] = []
    while now.parent is not None:
        before = library.datasets.version(now.dataset, now.parent)
        if now.recipe is not None:
            steps = check_steps(now.recipe)
            found.insert(0, Recipe(now.label, before.manifest, before.columns, steps))
            if why := why_not(steps):
                return Chain(tuple(found), f"{now.label} was made by a recipe whose {why}.")
        elif now.number not in merged:
            return Chain(tuple(found), f"{now.label} is the answer to a query, which cannot be asked of new rows.")
        now = before
    return Chain(tuple(found))


def columns_needed(chain: Chain, predictor: Predictor, also: Sequence[str] = ()) -> list[str]:
    """Return the columns that rows need before cleaning, for what the model needs and columns ``also``."""
    from mldesk.data.recipes.replaying import needed

    names = [*(column.name for column in predictor.schema), *also]
    for recipe in reversed(chain.recipes):
        names = needed(recipe, names, predictor.target)
    return names


def why_cleaned(library: Library, chain: Chain, predictor: Predictor, source: Path) -> str:
    """Say why the rows of a file seem to be cleaned already by the recipes, "" where they do not, from its beginning.

    They lack a column that cleaning starts from and have all that it gives, or cleaning changes nothing in them. Raises
    BadInput for a file that cannot be read.
    """
    from mldesk.data import preview_import

    if not chain.usable:
        return ""
    wanted = [column.name for column in predictor.schema]
    with working_folder(library.home.scratch, "mldesk-rows") as folder:
        seen = preview_import([source], None, folder, rows=_LOOKED_AT)
        have = [column.name for column in seen.columns]
        if not set(wanted) <= set(have):
            return ""
        missing = [name for name in columns_needed(chain, predictor) if name not in have]
        if missing:
            return f"they have no column {listed(missing)}, from which {chain.label} was made"
        rows = folder / "rows.jsonl"
        rows.write_text("".join(json.dumps(dict(zip(have, row, strict=True))) + "\n" for row in seen.rows), "utf-8")
        return "cleaning would change nothing in them" if _unchanged(library, chain, predictor, rows, wanted) else ""


def _unchanged(library: Library, chain: Chain, predictor: Predictor, rows: Path, wanted: Sequence[str]) -> bool:
    """Say whether cleaning leaves all rows and every cell of the columns ``wanted`` as they are."""
    import numpy as np  # the library opens without it

    from mldesk.data import read_like

    try:
        with working_folder(library.home.scratch, "mldesk-rows") as folder:
            made = clean(library, chain, predictor, rows, folder, leaves_out=True)
            if made.left_out:
                return False
            before, after = (read_like([path], predictor.schema, scratch=folder).columns()
                             for path in (rows, made.rows))
            return all(np.array_equal(before[name], after[name], equal_nan=before[name].dtype != object)
                       for name in wanted)
    except BadInput:   # they do not fit, so there is something to clean
        return False


def clean(library: Library, chain: Chain, predictor: Predictor, source: Path, folder: Path, *,
          also: Sequence[str] | None = (), leaves_out: bool = False, strict: bool = False,
          options: ImportOptions | None = None) -> Cleaned:
    """Clean the rows of a file as those of the model's table were.

    ``also``: columns of the file to have beside the model's, None for all of them; it is read by ``options``.
    Cells that the recipe makes missing, as it cannot read them, are noted; where it is ``strict`` or ``leaves_out``
    rows, theirs are among these. Raises BadInput for a file that does not fit or a recipe that cannot be done to new
    rows and, unless it ``leaves_out`` such, for rows that cannot be read or that cleaning leaves out.
    """
    if not chain.recipes:
        raise BadInput("There is no cleaning to be done again: the model learned from a table as it was imported, or "
                       "came in a bundle without a recipe.", hint="Leave --clean out.")
    if chain.why_not:
        raise BadInput(chain.why_not, hint="Clean the rows by hand first, or train on a version without that step.")
    place = folder / "before"
    place.mkdir()
    lines = folder / "lines-before.csv"   # what is read again after cleaning has lines of its own
    found = _read(chain, predictor, source, place, lines if leaves_out else None, options)
    if found.bad_rows and not leaves_out:
        first = next(item for item in found.verdict.findings if item.cells)
        raise BadInput(f"{source.name}: {first.message[:-1]}; row {first.cells[0][0]:,}, for example, holds "
                       f"{first.cells[0][1]!r:.60}.", hint="Mend them, or have such rows left out (--rejects FILE).")
    return _cleaned(library, chain, predictor, found, folder, lines, also, leaves_out, strict)


def _read(chain: Chain, predictor: Predictor, source: Path, folder: Path, lines: Path | None,
          options: ImportOptions | None) -> CheckedFile:
    """Read the file in the types of the table that the first recipe was done to."""
    from mldesk.data.contracts.check import CheckedFile, check_file
    from mldesk.data.contracts.contract import ColumnRule, Contract
    from mldesk.data.records import ImportOptions

    asked, known = columns_needed(chain, predictor), columns_needed(chain, predictor, predictor.keys)
    rules = tuple(ColumnRule(column.name, column.type, required=False, severity="row")
                  for column in chain.recipes[0].columns if column.name in known)
    found = check_file(source, "", Contract(rules, extra="allow"), options or ImportOptions(), folder, lines=lines)
    if not isinstance(found, CheckedFile):
        raise BadInput(f"{source.name}: {found.findings[0].message}")
    have = [column.name for column in found.table.columns]
    missing = [name for name in asked if name not in have]
    if missing:
        hint = did_you_mean(missing[0], have) or f"It has: {listed(have)}."
        if {column.name for column in predictor.schema} <= set(have):
            hint = "The rows seem to be cleaned already: predict them without cleaning (without --clean)."
        raise BadInput(f"The input has no column {listed(missing)}, which the recipe of {chain.label} needs.",
                       hint=hint)
    unfit = ("type",) if lines is not None else ("type", "reading")
    wrong = next((item for item in found.verdict.findings if item.severity == "error" and item.rule in unfit), None)
    if wrong is not None:
        raise BadInput(f"{source.name}: {wrong.message}", hint="Rows that cannot be read may be left out "
                       "(--rejects FILE).")
    return found


def _cleaned(library: Library, chain: Chain, predictor: Predictor, found: CheckedFile, folder: Path, lines: Path,
             also: Sequence[str] | None, leaves_out: bool, strict: bool) -> Cleaned:
    from mldesk.data.contracts.rejects import count_lines, keep_reasons, with_columns
    from mldesk.data.recipes.replaying import PLACE, LeftOut, replay

    have = [column.name for column in found.table.columns]
    taken = have if also is None else [name for name in also if name in have]
    rows = folder / "rows-0.parquet"
    found.typed(chain.recipes[0].columns, taken, folder, rows, PLACE)
    first, gone, notes = rows, list[LeftOut](), list[str]()
    for number, recipe in enumerate(chain.recipes, start=1):
        out = folder / f"rows-{number}.parquet"
        wanted = columns_needed(replace(chain, recipes=chain.recipes[number:]), predictor)
        more, said = replay(library.objects, folder, recipe, rows, predictor.target, out, wanted=wanted,
                            strict=strict or leaves_out)
        gone, notes, rows = [*gone, *more], [*notes, *said], out
    if gone and not leaves_out:
        raise BadInput(f"Cleaning cannot take every row: row {gone[0].place + 1:,}, for example; {gone[0].reason}.",
                       hint="Mend them, or have such rows left out and written to a file (--rejects FILE).")
    reasons = [folder / "unread.parquet", folder / "cleaned.parquet"]
    found.divide(folder, folder / "good.parquet", reasons[0])
    keep_reasons([(item.place + 1, item.column, item.reason) for item in gone], reasons[1])
    final = folder / f"{Path(found.verdict.file).stem}.parquet"
    places = folder / "places.parquet"
    own = {*(column.name for column in predictor.schema), *predictor.keys}
    called = with_columns(rows, own, first, taken, PLACE, final, places, folder)
    lost = len({item.place for item in gone}) + found.bad_rows + count_lines(lines)
    return Cleaned(final, places, found.as_read, tuple(reasons), lines, lost, tuple(notes), tuple(have), called)
