"""Which runs the list shows: by state, tag, group, dataset and text, over all there are; kept as views by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from mldesk.core.errors import MldeskError
from mldesk.core.run_filter import RunFilter
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.row_menu import LINE, Entry, popup
from mldesk.desktop.pages.runs.run_filter_dialog import RunFilterDialog
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.lists import RunList
from mldesk.desktop.tasks import TaskOwner, async_slot, in_thread
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import FormRow, SearchField, Segmented, Sheet, make_button, make_label, row
from mldesk.desktop.widgets.badges import state_words
from mldesk.wire.states import JobState

if TYPE_CHECKING:
    from PySide6.QtWidgets import QPushButton

_MOST = 12  # of each kind that the menu offers; the dialog has all
_WHICH = {"all": (), "active": tuple(state.value for state in JobState if not state.ended),
          "succeeded": (JobState.SUCCEEDED.value,),
          "other": tuple(state.value for state in JobState if state.ended and state is not JobState.SUCCEEDED)}


class RunFilterBar(QWidget, TaskOwner):
    """Edits ``RunList.wanted``. Signals: ``changed`` (a RunFilter)."""

    changed = Signal(object)

    def __init__(self, shell: Shell, state: RunList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shell, self._state = shell, state
        self.sorted_by: Callable[[], str] = str   # how the list is sorted, which a view keeps
        self.which = Segmented([("all", self.tr("All")), ("active", self.tr("Going on")),
                                ("succeeded", self.tr("Succeeded")), ("other", self.tr("Failed or stopped"))])
        self.which.changed.connect(lambda which: self._want(states=_WHICH[which]))
        self.search = SearchField(self.tr("Find a run"))
        self.search.setMinimumWidth(140)
        self.search.setMaximumWidth(220)
        self.search.searched.connect(lambda text: self._want(text=text))
        self.filter = self._button(self.tr("Filter"), "filter", self.filters)
        self.views = self._button(self.tr("Views"), "folder", self.view_entries)
        self.said = make_label("", "body", "muted")
        self.clear = make_button(self.tr("Show all runs"), "link")
        self.clear.clicked.connect(lambda: self.show_wanted(RunFilter()))
        self._line = QWidget()
        self._line.setLayout(row(self.said, self.clear, None, spacing=Space.M))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.S)
        layout.addLayout(row(self.which, None, self.filter, self.views, self.search, spacing=Space.S))
        layout.addWidget(self._line)
        self._line.hide()

    def _button(self, title: str, icon: str, entries: Callable[[], list[Entry]]) -> QPushButton:
        button = make_button(title, "secondary", icon)
        button.clicked.connect(lambda: popup(self, entries(), button.mapToGlobal(
            QPoint(0, button.height() + Space.XS))))
        return button

    def filters(self) -> list[Entry]:
        """Return the tags, groups and datasets there are, those that narrow the list with a tick."""
        wanted, (tags, groups, datasets) = self._state.wanted, self._state.labels
        more = Entry("filter", self.tr("By target, model, score…"), self.ask_more)
        found = [self._choice("tag", f"{tag} ({count})", tag in wanted.tags, {"tags": tuple(
            other for other in wanted.tags if other != tag) if tag in wanted.tags else (*wanted.tags, tag)})
            for tag, count in list(tags.items())[:_MOST]]
        for icon, key, names in (("folder", "group", list(groups)), ("dataset", "dataset", list(datasets))):
            chosen = getattr(wanted, key)
            found += [LINE] if found and names else []
            found += [self._choice(icon, name, name == chosen, {key: "" if name == chosen else name})
                      for name in names[:_MOST]]
        return [*found, *([LINE] if found else []), more]

    @async_slot
    async def ask_more(self) -> None:
        """Open the dialog of everything that the list can be narrowed by."""
        book = self._shell.desk.workbench.book
        facets, (tags, groups) = await in_thread(lambda: (book.facets(), book.labels()))
        dialog = RunFilterDialog(self._state.wanted, {**facets, "tag": tuple(tags), "group": tuple(groups)},
                                 self._shell.host)
        dialog.accepted.connect(lambda: self.show_wanted(dialog.chosen))
        dialog.open()

    def _choice(self, icon: str, title: str, on: bool, fields: dict[str, object]) -> Entry:
        return Entry("check" if on else icon, title, lambda: self._want(**fields))

    def view_entries(self) -> list[Entry]:
        """Return the saved views, and what can be done about them."""
        kept, wanted = self._state.views, self._state.wanted
        shown = next((name for name, view in kept.items() if view == wanted), None)
        found = [Entry("check" if name == shown else "folder", name, lambda view=view: self.show_wanted(view))  # type: ignore[misc]
                 for name, view in kept.items()]
        return [*found, *([LINE] if found else []),
                Entry("plus", self.tr("Save this view…"), self.ask_name,
                      self.tr("The list shows all runs. Narrow it first.") if wanted == RunFilter() else ""),
                Entry("trash", self.tr("Remove this view"), lambda: self._remove(shown or ""),
                      "" if shown else self.tr("The list does not show a saved view."))]

    def _want(self, **fields: object) -> None:
        wanted = replace(self._state.wanted, **{"sort": "", **fields})  # type: ignore[arg-type]
        if wanted != self._state.wanted:
            self._state.wanted = wanted
            self.show_line()
            self.changed.emit(wanted)

    def show_wanted(self, wanted: RunFilter) -> None:
        """Show what a view wants, or everything."""
        which = next((name for name, states in _WHICH.items() if set(states) == set(wanted.states)), "all")
        self._state.wanted = wanted
        self.which.set_value(which)
        self.search.setText(wanted.text)
        self.show_line()
        self.changed.emit(wanted)

    def show_line(self) -> None:
        """Say what narrows the list, and how to be rid of it."""
        wanted = self._state.wanted
        said = [*(self.tr("tag {name}").format(name=tag) for tag in wanted.tags)]
        for value, text in ((wanted.group, self.tr("group {name}")), (wanted.dataset, self.tr("dataset {name}")),
                            (wanted.target, self.tr("target {name}")), (wanted.estimator, self.tr("model {name}")),
                            (wanted.kind, self.tr("kind {name}"))):
            said += [text.format(name=value)] if value else []
        said += [self.tr("score {bound}").format(bound=bound) for bound in wanted.scores]
        if wanted.states not in _WHICH.values():
            said.append(", ".join(state_words(JobState(state))[0].lower() for state in wanted.states))
        none = not said and self._state.runs.value == () and wanted != RunFilter()
        self.said.setText(self.tr("No run is like that.") if none else
                          self.tr("Shown: {what}").format(what=", ".join(said)))
        self._line.setVisible(bool(said) or none)

    # Views

    def ask_name(self) -> None:
        """Keep what is wanted now under a name."""
        name = QLineEdit()
        sheet = Sheet(self.tr("Save this view"), self._shell.host, primary=self.tr("Save"), width=380)
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.body.addWidget(FormRow(self.tr("Name"), name, self.tr("One of the same name is replaced.")))
        sheet.confirmed.connect(lambda: self._save(sheet, name.text()))
        sheet.open()
        name.setFocus()

    @async_slot
    async def _save(self, sheet: Sheet, name: str) -> None:
        try:
            wanted = replace(self._state.wanted, sort=self.sorted_by())
            await in_thread(self._shell.desk.workbench.book.save_view, name, wanted)
        except MldeskError as error:
            sheet.set_error(sentence(error))
            return
        sheet.accept()
        await self._state.refresh()

    @async_slot
    async def _remove(self, name: str) -> None:
        await in_thread(self._shell.desk.workbench.book.remove_view, name)
        await self._state.refresh()
        self._shell.say(words.tr("The view {name} is gone; its runs are not.").format(name=name), "neutral")
