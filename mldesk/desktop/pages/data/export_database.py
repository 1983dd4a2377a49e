"""A table is written into a SQLite or DuckDB file: asks what it is to be called there."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QLineEdit

from mldesk.core.errors import MldeskError
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.file_choice import choose_place
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.dataset import DatasetState
from mldesk.desktop.tasks import TaskOwner, async_slot, in_thread
from mldesk.desktop.widgets import FormRow, Sheet, Switch, make_label

DATABASES = ("SQLite (*.sqlite *.sqlite3 *.db)", "DuckDB (*.duckdb *.ddb)")
_NAMED = 8


def export_to_database(shell: Shell, state: DatasetState) -> None:
    """Ask for the file, which may be there, then for the table."""
    host = shell.host
    dialog = choose_place(host, host.tr("Export into a database"), DATABASES, f"{state.name}.sqlite",
                          lambda path: ExportTableSheet(shell, state, path).open())
    dialog.setOption(QFileDialog.Option.DontConfirmOverwrite, on=True)   # what is in it stays


class ExportTableSheet(Sheet, TaskOwner):
    """Asks for the table's name. One that is there is replaced only where a person says so."""

    def __init__(self, shell: Shell, state: DatasetState, path: Path) -> None:
        super().__init__(self.tr("Export into {name}").format(name=path.name), shell.host, primary=self.tr("Export"),
                         width=460)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._shell, self._state, self._path = shell, state, path
        self.there: tuple[str, ...] | None = None   # tables of the file, None until they are known
        self.name = QLineEdit(state.name)
        self.name.textChanged.connect(lambda _: self._check())
        self.replace = Switch(self.tr("Replace the table of that name"))
        self.replace.toggled.connect(lambda _: self._check())
        self._tables = make_label("", "caption", "muted", wrap=True, selectable=True)
        self.add(FormRow(self.tr("Name of the table"), self.name))
        self.add(self.replace)
        self.add(self._tables)
        self.confirmed.connect(self._export)
        self.finished.connect(self.cancel_tasks)
        self._check()
        self._look()

    @async_slot
    async def _look(self) -> None:
        from mldesk.data.export_database import tables_in

        try:
            self.there = tuple(await in_thread(tables_in, self._path))
        except (MldeskError, OSError) as error:
            self.set_error(sentence(error))
            return
        self._check()

    def _check(self) -> None:
        name, there = self.name.text().strip(), self.there or ()
        taken = name.casefold() in {other.casefold() for other in there}
        self.replace.setVisible(taken)
        others = [other for other in there if other.casefold() != name.casefold()]
        more = self.tr(" and {count} more").format(count=len(others) - _NAMED) if others[_NAMED:] else ""
        self._tables.setText(self.tr("There already, and left as they are: {names}").format(
            names=", ".join(others[:_NAMED]) + more))
        self._tables.setVisible(bool(others))
        self.set_primary_enabled(
            self.tr("The file is looked at.") if self.there is None else self.tr("Write a name.") if not name else
            self.tr("There is a table of that name.") if taken and not self.replace.isChecked() else "")

    @async_slot
    async def _export(self) -> None:
        name = self.name.text().strip()
        self.set_error("")
        self.set_busy(self.tr("Writing…"))
        try:
            await self._state.export(self._path, table=name, replace=self.replace.isVisible() and
                                     self.replace.isChecked())
        except (MldeskError, OSError) as error:
            self.set_error(sentence(error))
            return
        finally:
            self.set_busy("")
        self._shell.say(self.tr("Wrote the table {table} of {name}.").format(table=name, name=self._path.name),
                        "success")
        self.accept()
