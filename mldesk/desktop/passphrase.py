"""Asking for the passphrase of the vault, where there is no keyring: from a worker thread, answered in a dialog."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QWidget

from mldesk.desktop.widgets.form import FormRow
from mldesk.desktop.widgets.sheet import Sheet

ENVIRONMENT = "MLDESK_VAULT_PASSPHRASE"  # answers for headless use, as on the command line
SHORTEST = 8                             # characters of a new passphrase


class PassphraseAsker:
    """Called by the vault in a worker thread; waits there until the person at the window has answered."""

    def __init__(self) -> None:
        self.host: QWidget | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def attach(self, host: QWidget) -> None:
        """Ask over ``host``. Called in the UI thread once its loop runs."""
        self.host, self._loop = host, asyncio.get_running_loop()

    def __call__(self, new: bool) -> str | None:
        """Return the passphrase, None when nobody gives one. ``new``: for a vault that is to be made."""
        if given := os.environ.get(ENVIRONMENT):
            return given
        if self._loop is None or self._loop.is_closed():
            return None
        answer: concurrent.futures.Future[str | None] = concurrent.futures.Future()
        self._loop.call_soon_threadsafe(self._ask, new, answer)
        return answer.result()

    def _ask(self, new: bool, answer: concurrent.futures.Future[str | None]) -> None:
        if self.host is None or not self.host.isVisible():
            answer.set_result(None)
            return
        dialog = PassphraseDialog(self.host, new=new)
        dialog.finished.connect(lambda: answer.set_result(dialog.value))
        dialog.open()


class PassphraseDialog(Sheet):
    """Asks once for an old passphrase, twice for a new one. ``value`` is None unless it was confirmed."""

    def __init__(self, parent: QWidget, *, new: bool) -> None:
        title = self.tr("A passphrase for your keys") if new else self.tr("Your passphrase, please")
        text = self.tr("There is no keyring on this machine, so the key that signs your bundles is kept in a vault of "
                       "MLDesk's own. Its passphrase is never stored.")
        super().__init__(title, parent, text=text, primary=self.tr("Go on"), secondary=self.tr("Leave it unsigned"),
                         width=460)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.value: str | None = None
        self._new = new
        self.first, self.again = QLineEdit(), QLineEdit()
        for field in (self.first, self.again):
            field.setEchoMode(QLineEdit.EchoMode.Password)
            field.textChanged.connect(self._check)
        self.add(FormRow(self.tr("Passphrase"), self.first))
        row = FormRow(self.tr("Once more"), self.again,
                      self.tr("Nobody can recover it: with the passphrase lost, a new key has to be made."))
        self.add(row)
        row.setVisible(new)
        self.confirmed.connect(self._on_confirmed)
        self._check()

    def _check(self) -> None:
        text = self.first.text()
        if not text:
            reason = self.tr("Write the passphrase.")
        elif self._new and len(text) < SHORTEST:
            reason = self.tr("At least {count} characters.").format(count=SHORTEST)
        elif self._new and text != self.again.text():
            reason = self.tr("Write the same one again.")
        else:
            reason = ""
        self.set_primary_enabled(reason)

    def _on_confirmed(self) -> None:
        self.value = self.first.text()
        self.accept()
