"""Asking for passwords, passphrases and one-time codes of runners: from a worker thread, answered in a dialog.

The worker waits on a future, never on the dialog; the window goes on meanwhile. Who said no once is not asked again by
itself: only what a person starts asks again (``allow``).
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QLineEdit, QWidget

from mldesk.desktop.widgets.buttons import disable
from mldesk.desktop.widgets.form import FormRow
from mldesk.desktop.widgets.sheet import Sheet
from mldesk.desktop.widgets.text import make_label

PATIENCE = 180.0  # seconds a host is let wait for a person; most hang up by themselves before


@dataclass(frozen=True, slots=True)
class Question:
    """What a host or a key file wants to know."""

    title: str
    text: str
    fields: tuple[tuple[str, bool], ...]  # what is asked, and whether the answer may be shown
    may_keep: bool                        # whether the answer can be remembered


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person said."""

    values: tuple[str, ...]
    keep: bool                            # in the keyring, because they said so


class LoginAsker:
    """Answers as ``Credentials`` do. ``why_not_keep`` says why nothing can be remembered, "" where it can."""

    def __init__(self, why_not_keep: Callable[[], str] = lambda: "") -> None:
        self.host: QWidget | None = None
        self.why_not_keep = why_not_keep
        self.keep_last = False                 # whether the last answer is to be remembered
        self._loop: asyncio.AbstractEventLoop | None = None
        self._declined: set[str] = set()

    def attach(self, host: QWidget) -> None:
        """Ask over ``host``. Called in the UI thread once its loop runs."""
        self.host, self._loop = host, asyncio.get_running_loop()

    def allow(self) -> None:
        """Ask again where somebody said no before: a person has just asked for a connection."""
        self._declined.clear()

    def passphrase(self, key: Path) -> str | None:
        """Return what unlocks a key file, None when nobody says."""
        answer = self.ask(str(key), Question(
            _tr("The passphrase of {key}, please").format(key=key.name),
            _tr("The key {key} is locked. Its passphrase stays on this machine.").format(key=key),
            ((_tr("Passphrase"), False),), may_keep=True))
        return answer.values[0] if answer is not None else None

    def password(self, user: str, host: str, port: int) -> str | None:
        """Return the password of an account, None when nobody says."""
        where = f"{user}@{host}" + (f":{port}" if port != 22 else "")
        answer = self.ask(where, Question(
            _tr("The password of {where}, please").format(where=where),
            _tr("The machine lets nobody in by a key that is here. A key is safer: ssh-copy-id brings yours there."),
            ((_tr("Password"), False),), may_keep=True))
        return answer.values[0] if answer is not None else None

    def answers(self, host: str, title: str, prompts: Sequence[tuple[str, bool]]) -> Sequence[str] | None:
        """Answer what the host asks, a one-time code for one; None when nobody does."""
        if not prompts:
            return ()
        asked = tuple((words.strip().rstrip(":") or _tr("Answer"), shown) for words, shown in prompts)
        answer = self.ask(host, Question(title.strip() or _tr("{host} asks").format(host=host),
                                         _tr("{host} asks this before it lets you in.").format(host=host),
                                         asked, may_keep=False))
        return answer.values if answer is not None else None

    def ask(self, who: str, question: Question) -> Answer | None:
        """Ask from a worker thread and wait for the person. None when they decline, or where nobody can be asked."""
        if self._loop is None or self._loop.is_closed() or who in self._declined:
            return None
        why_not = self.why_not_keep() if question.may_keep else ""  # a keyring may take its time: not in the UI thread
        future: concurrent.futures.Future[Answer | None] = concurrent.futures.Future()
        try:
            self._loop.call_soon_threadsafe(self._open, question, why_not, future)
        except RuntimeError:  # the window was closed a moment ago
            return None
        try:
            answer = future.result(PATIENCE)
        except TimeoutError:
            answer = None
        self.keep_last = answer is not None and answer.keep
        if answer is None:
            self._declined.add(who)
        return answer

    def _open(self, question: Question, why_not_keep: str, future: concurrent.futures.Future[Answer | None]) -> None:
        if self.host is None or not self.host.isVisible():
            future.set_result(None)
            return
        over = _topmost(self.host)
        dialog = LoginDialog(over, question, why_not_keep)
        dialog.finished.connect(lambda: None if future.done() else future.set_result(dialog.value))
        dialog.open()


class LoginDialog(Sheet):
    """One question. ``value`` is None unless it was answered."""

    def __init__(self, parent: QWidget, question: Question, why_not_keep: str = "") -> None:
        super().__init__(question.title, parent, text=question.text, primary=_tr("Log in"), width=440)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.value: Answer | None = None
        self.fields: list[QLineEdit] = []
        for words, shown in question.fields:
            field = QLineEdit()
            if not shown:
                field.setEchoMode(QLineEdit.EchoMode.Password)
            field.textChanged.connect(self._check)
            self.add(FormRow(words, field))
            self.fields.append(field)
        self.keep = QCheckBox(_tr("Remember it in the keyring"))
        self.keep.setVisible(False)
        if question.may_keep:
            self.add(self.keep)
            self.keep.setVisible(True)
            if why_not_keep:
                disable(self.keep, why_not_keep)
                self.add(make_label(why_not_keep, "caption", "muted", wrap=True))
        self.confirmed.connect(self._on_confirmed)
        self._check()

    def _check(self) -> None:
        missing = any(not field.text() for field in self.fields)
        self.set_primary_enabled(_tr("Write the answer.") if missing else "")

    def _on_confirmed(self) -> None:
        self.value = Answer(tuple(field.text() for field in self.fields), self.keep.isChecked())
        self.accept()


def _topmost(host: QWidget) -> QWidget:
    """Return the dialog that is open over ``host``, or ``host``: a sheet below another could not be reached."""
    from PySide6.QtWidgets import QApplication

    return QApplication.activeModalWidget() or host


def _tr(text: str) -> str:
    from PySide6.QtCore import QCoreApplication

    return QCoreApplication.translate("Login", text)
