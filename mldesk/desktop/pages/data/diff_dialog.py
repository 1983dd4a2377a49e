"""What differs between two versions: in sentences, by keys of one's choice, and the columns side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.column_choice import ColumnList
from mldesk.desktop.pages.data.dataset_columns import columns_of
from mldesk.desktop.pages.room import fitting
from mldesk.desktop.states.dataset import DatasetState
from mldesk.desktop.tasks import TaskOwner, async_slot
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    ColumnProfileCard,
    ComboBox,
    FormRow,
    Sheet,
    Spinner,
    clear,
    column,
    disable,
    enable,
    make_button,
    make_label,
    row,
)

MOST = 12   # columns whose distributions are shown
_SEVERAL = "\0several"   # no column is called so


class DiffDialog(Sheet, TaskOwner):
    """Compares by rows, or by columns that tell rows apart; below, what changed columns held before and after."""

    def __init__(self, state: DatasetState, diff: Mapping[str, Any], parent: QWidget) -> None:
        title = state.name + ": " + self.tr("from version {first} to {second}").format(
            first=diff["from"], second=diff["to"])
        super().__init__(title, parent, primary=self.tr("Close"), width=560, scrolls=True)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.secondary.hide()
        self.confirmed.connect(self.accept)
        self.finished.connect(self.cancel_tasks)
        self._state, self._first, self._second = state, int(diff["from"]), int(diff["to"])
        keys = state.keys(self._first, self._second)
        self.key = ComboBox([("", self.tr("Whole rows")), *((name, name) for name in keys),
                             (_SEVERAL, self.tr("Several columns together…"))],
                            ((diff["rows"].get("keys") or [""])[0]))
        self.key.currentIndexChanged.connect(lambda _: self._on_key())
        self._several = self._make_several()
        self._spinner = Spinner(16)
        self._spinner.hide()
        self._lines = QVBoxLayout()
        self._lines.setSpacing(Space.S)
        self._columns = QVBoxLayout()
        self._columns.setSpacing(Space.M)
        chosen = row(self.key, self._spinner, None, spacing=Space.S)
        chosen.setStretch(0, 1)
        field = QWidget()
        field.setLayout(chosen)
        self._field = FormRow(self.tr("Match rows by"), field, self.tr(
            "Columns whose values are all there and all different, in both versions.") if keys else self.tr(
            "No column has a value of its own in every row of both versions, so whole rows are compared. Several "
            "columns together may tell rows apart."))
        self.add(self._field)
        self.add(self._several)
        self.add(self._lines)
        self.add(self._columns)
        self._show(diff)
        self._profile()
        self.resize(fitting(self, 720, 620))

    def _make_several(self) -> QWidget:
        """Make the columns to tick, which are seen once somebody wants several."""
        self.ticked = ColumnList(self._state.shared(self._first, self._second))
        self.compare = make_button(self.tr("Compare by these"), "secondary", small=True)
        self.compare.clicked.connect(lambda _checked=False: self._compare(self.ticked.values()))
        self.ticked.changed.connect(self._on_ticked)
        self._on_ticked()
        box = QWidget()
        layout = QVBoxLayout(box)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.S)
        layout.addWidget(self.ticked)
        layout.addLayout(row(None, self.compare))
        box.hide()
        return box

    def _on_ticked(self) -> None:
        if len(self.ticked.values()) > 1:
            enable(self.compare)
        else:
            disable(self.compare, self.tr("Tick two columns or more that tell rows apart together."))

    def _show(self, diff: Mapping[str, Any]) -> None:
        self._diff = diff
        clear(self._lines)
        for line in diff_lines(diff):
            self._lines.addWidget(make_label(line, wrap=True, selectable=True))
        for example in (diff["rows"].get("examples") or ())[:5]:
            said = self.tr("{keys}: {column} was {before}, is {after}").format(
                keys=_values(example["keys"]), column=example["column"], before=_value(example["from"]),
                after=_value(example["to"]))
            self._lines.addWidget(make_label(said, "caption", "muted", wrap=True, selectable=True))

    def _on_key(self) -> None:
        chosen = str(self.key.value())
        self._several.setVisible(chosen == _SEVERAL)
        if chosen != _SEVERAL:
            self._compare([chosen] if chosen else [])
        else:
            self.ticked.setFocus()

    @async_slot
    async def _compare(self, keys: Sequence[str]) -> None:
        self.set_error("")
        self._spinner.show()
        try:
            diff = await self._state.diff(self._first, self._second, keys)
        except MldeskError as error:
            self.set_error(sentence(error))
            return
        finally:
            self._spinner.hide()
        self._show(diff)

    @async_slot
    async def _profile(self) -> None:
        """Put the columns that changed side by side, once both versions are profiled."""
        changed = [item["column"] for item in self._diff["changed"]]
        changed += [name for name in self._diff["rows"].get("changed_by") or () if name not in changed]
        if not changed:
            return
        self._spinner.show()
        try:
            before, after = await self._state.profiles(self._first, self._second)
        except MldeskError as error:
            self.set_error(sentence(error))
            return
        finally:
            self._spinner.hide()
        self._columns.addWidget(make_label(self.tr("What the columns held"), "subtitle"))
        for name in changed[:MOST]:
            self._add_pair(name, before, after)
        if changed[MOST:]:
            self._columns.addWidget(make_label(self.tr("and {count} more").format(count=len(changed) - MOST),
                                               tone="muted"))

    def _add_pair(self, name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        sides = []
        for number, profile in ((self._first, before), (self._second, after)):
            facts = columns_of(profile).get(name)
            if facts is None:
                return
            card = ColumnProfileCard(name, facts, int(profile["rows"]))
            card.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            side = column(make_label(self.tr("Version {number}").format(number=number), "caption", "muted"), card,
                          spacing=Space.XS)
            sides.append(side)
        pair = row(*sides, spacing=Space.M)
        pair.setStretch(0, 1)
        pair.setStretch(1, 1)
        self._columns.addLayout(pair)


def _value(cell: Any) -> str:
    return words.MISSING if cell is None else str(cell)


def _values(keys: Mapping[str, Any] | Sequence[Any]) -> str:
    found = keys.values() if isinstance(keys, Mapping) else keys
    return ", ".join(map(_value, found))


def diff_lines(diff: Mapping[str, Any]) -> list[str]:
    """Return what a diff says, one sentence per line."""
    tr, rows, columns = words.tr, diff["rows"], diff["columns"]
    lines = [tr("Rows: {before} before, {after} after.").format(
        before=words.number(rows["from"]), after=words.number(rows["to"]))]
    if rows.get("keys"):
        lines.append(tr("By {key}: {removed} rows are gone, {added} are new, {changed} changed.").format(
            key=", ".join(rows["keys"]), removed=words.number(rows["removed"]), added=words.number(rows["added"]),
            changed=words.number(rows["changed"])))
        lines += [tr("{column}: {count} changed.").format(
            column=name, count=words.counted(count, tr("cell"), tr("cells"))) for name, count in
            rows["changed_by"].items()]
    elif rows.get("removed") or rows.get("added"):
        lines.append(tr("{removed} rows are gone or changed, {added} are new or changed.").format(
            removed=words.number(rows["removed"]), added=words.number(rows["added"])))
    for key, text in (("removed", tr("Columns taken out: {names}.")), ("added", tr("Columns added: {names}."))):
        if columns[key]:
            lines.append(text.format(names=", ".join(columns[key])))
    lines += [tr("{column} changed from {before} to {after}.").format(
        column=item["column"], before=item["from"], after=item["to"]) for item in columns["retyped"]]
    lines += [tr("{column}: {before} missing before, {after} after.").format(
        column=item["column"], before=words.number(item["from"]), after=words.number(item["to"]))
        for item in diff["missing"]]
    return lines if len(lines) > 1 else [*lines, tr("Nothing else differs.")]
