"""A step of a recipe as people read it: "Drop customerID", "Fill missing TotalCharges with 0"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mldesk.desktop import words
from mldesk.desktop.step_choices import choice_words
from mldesk.desktop.words import tr

if TYPE_CHECKING:
    from mldesk.library.records import DatasetVersion

_SHOWN = 3  # names written before "and 4 more"


def listed(names: Sequence[str]) -> str:
    """Write a list of names, cut where it gets long."""
    more = len(names) - _SHOWN
    shown = ", ".join(names[:_SHOWN])
    return shown if more <= 0 else tr("{names} and {count} more").format(names=shown, count=words.number(more))


def step_words(step: Mapping[str, Any]) -> str:
    """Return one line that says what ``step`` does; a kind this window does not know is shown with its fields."""
    kind = str(step.get("step", ""))
    columns = listed([str(name) for name in step.get("columns") or ()])
    if kind == "drop":
        return tr("Drop {columns}").format(columns=columns)
    if kind == "rename":
        return tr("Rename {pairs}").format(pairs=_pairs(step.get("names")))
    if kind == "cast":
        return tr("Read {columns} as {type}").format(columns=columns, type=step.get("type")) + (
            tr(", what does not fit becomes missing") if step.get("on_error") == "missing" else "")
    if kind == "fill_missing":
        return _filled(step, columns)
    if kind == "drop_missing":
        where = columns or tr("any column")
        return tr("Leave out rows without {columns}").format(columns=where)
    if kind == "deduplicate":
        same = tr(" in {columns}").format(columns=columns) if columns else ""
        which = step.get("keep", "first")
        return tr("Keep the {which} of rows that are the same{where}").format(which=which, where=same)
    if kind == "filter":
        return tr("Keep rows where {condition}").format(condition=step.get("where", ""))
    if kind == "replace":
        return tr("In {columns} replace {pairs}").format(columns=columns, pairs=_pairs(step.get("values")))
    if kind == "edit":
        return _by_hand(step)
    return _plainly(kind, step)


def _filled(step: Mapping[str, Any], columns: str) -> str:
    how = str(step.get("with", "constant"))
    said = {"knn": tr("Fill missing {columns} from the rows most alike"),
            "forward": tr("Fill missing {columns} with the value before"),
            "backward": tr("Fill missing {columns} with the value after"),
            "constant": tr("Fill missing {columns} with {value}")}.get(
                how, tr("Fill missing {columns} with the {value}"))
    value = words.cell(step.get("value")) if how == "constant" else how
    by = listed([str(name) for name in step.get("by") or ()])
    return said.format(columns=columns, value=value) + (tr(" of its {groups}").format(groups=by) if by else "")


def _by_hand(step: Mapping[str, Any]) -> str:
    cells, rows = step.get("cells") or (), step.get("remove") or ()
    said = [listed([tr("{column} of row {row} is {value}").format(
        column=cell["column"], row=words.number(cell["row"]), value=words.cell(cell["value"])) for cell in cells])]
    if rows:
        said.append(tr("take out row {rows}").format(rows=listed([words.number(row) for row in rows])))
    return tr("By hand: {changes}").format(changes="; ".join(filter(None, said)))


def _plainly(kind: str, step: Mapping[str, Any]) -> str:
    """Return the title of a step and what was said in it that is not as it would be anyway."""
    from mldesk.data.recipes.steps import BY_NAME  # slow where no table was touched yet

    known = BY_NAME.get(kind)
    if known is None:
        fields = ", ".join(f"{name} {words.cell(value)}" for name, value in step.items() if name != "step")
        return f"{kind}: {fields}"

    usual = {field.name: field.default for field in known.fields}
    chosen = {field.name for field in known.fields if field.choices}
    said = [listed([choice_words(name, str(item)) if name in chosen else str(item) for item in value])
            if isinstance(value, (list, tuple)) else
            choice_words(name, str(value)) if name in chosen else words.cell(value) for name, value in step.items()
            if name not in ("step", "disabled", "digest", "code") and value not in (None, "", usual.get(name))]
    title = known.title or kind
    return f"{title}: {', '.join(said)}" if said else title


def _pairs(given: object) -> str:
    if not isinstance(given, Mapping):
        return ""
    return listed([f"{old} → {tr('missing') if new is None else new}" for old, new in given.items()])


def came_from(version: DatasetVersion) -> str:
    """Say what a version was made from: its file, or how many steps of cleaning; and where its rows were left."""
    if version.outside is not None:
        return tr("{files}, left in {folder}").format(files=version.source, folder=version.outside)
    if not version.recipe:
        return version.source
    return tr("cleaned in {steps}").format(steps=words.counted(len(version.recipe), tr("step"), tr("steps")))
