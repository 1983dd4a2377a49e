"""Runners in the window, with runners made up: what a user sees of them and does with them."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from mldesk import app
from mldesk.core.resources import resource
from mldesk.desktop.login_asker import LoginAsker, LoginDialog
from mldesk.desktop.pages import row_menu
from mldesk.desktop.pages.runners.add_runner_dialog import AddRunnerDialog
from mldesk.desktop.pages.runners.queue_table import _MIME
from mldesk.desktop.pages.runners.runner import RunnerPage
from mldesk.desktop.pages.runs.train_dialog import TrainDialog
from mldesk.desktop.states.add_runner import Step
from mldesk.desktop.tasks import in_thread
from mldesk.desktop.widgets import why_disabled
from mldesk.wire.runner_view import Slot, Waiting
from tests.desktop.fake_runners import GB, FakeRunners, machine
from tests.desktop.scripted_user import User, dialogs, play

Script = Callable[[User, FakeRunners], Awaitable[Any]]
CARD = ("NVIDIA H200", 141 * GB)


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Callable[[Script], Any]:
    """Open the window over a library of its own, with runners that are made up."""
    runners = FakeRunners(
        machine("local"),
        machine("atlas", "anna@atlas.example", gpus=(CARD,), slots=(Slot("gpu", 0, *CARD, "r1"),), waiting=tuple(
            Waiting(f"w{number}", f"job {number}", 0, number, "a card is free first") for number in (1, 2, 3))),
        machine("cellar", "me@cellar", down="The machine is off.", since=time.time() - 7200))
    really = app.open_workbench

    def opened(*args: Any, **options: Any) -> Any:
        return dataclasses.replace(really(*args, **options), runners=runners)

    monkeypatch.setattr(app, "open_workbench", opened)

    def use(script: Script) -> Any:
        async def ready(user: User) -> Any:
            await user.until(lambda: user.window.desk.ready.value, "the library")
            return await script(user, runners)

        return play(tmp_path / "home", ready, patience=60, meet_machine=False)

    return use


async def page_of(user: User, name: str) -> RunnerPage:
    """Open a runner and wait until it is known how it stands."""
    user.window.open_runner(name)
    page = user.window._seen("runners", "RunnerPage")
    await user.until(lambda: page.state.answered.value, "an answer")
    return page


async def dialog_of(user: User, kind: type[Any]) -> Any:
    return await user.until(lambda: next((one for one in dialogs() if isinstance(one, kind)), None), kind.__name__)


def test_every_runner_has_a_card_that_says_how_it_stands_and_opens_it(window: Any) -> None:
    async def script(user: User, runners: FakeRunners) -> None:
        main = user.window
        main.go("runners")
        page = main.stack.currentWidget().list_page
        await user.until(lambda: len(page.cards) == 3, "the cards")
        cards = page.cards
        await user.until(lambda: cards["atlas"]._badge.text == "Connected", "atlas to answer")
        assert cards["atlas"]._work.text() == "1 job runs, 3 wait"
        await user.until(lambda: cards["cellar"]._work.text() == "The machine is off.", "why the cellar is silent")
        assert cards["cellar"]._badge.text.startswith("Unreachable since")
        await user.until(lambda: cards["atlas"]._readings["gpu"]._value.text() != "–", "a reading")
        QTest.keyClick(cards["atlas"], Qt.Key.Key_Space)
        await user.until(lambda: main._seen("runners", "RunnerPage"), "the runner's page")
        entry = main.sidebar._entries["runners"]
        QTest.mouseClick(entry, Qt.MouseButton.LeftButton)  # pressed again within a place: its list
        await user.until(lambda: main._seen("runners", "RunnersPage"), "the list again")

    window(script)


def test_what_waits_is_moved_by_key_by_dropping_and_by_priority(window: Any) -> None:
    async def script(user: User, runners: FakeRunners) -> None:
        page = await page_of(user, "atlas")
        page.tabs.set_value("queue")
        table = page.board.table

        def order() -> list[str]:
            return [item.job for item in table.records.records]

        await user.until(lambda: order() == ["w1", "w2", "w3"], "the queue")
        table.select(["w1"])
        QTest.keyClick(table, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
        await user.until(lambda: order() == ["w2", "w1", "w3"], "w1 to go down")
        mime = QMimeData()
        mime.setData(_MIME, b"w3")
        event = QDropEvent(QPointF(20, 2), Qt.DropAction.MoveAction, mime, Qt.MouseButton.LeftButton,
                           Qt.KeyboardModifier.NoModifier)
        event.source = lambda: table  # type: ignore[method-assign]
        table.dropEvent(event)
        await user.until(lambda: order() == ["w3", "w2", "w1"], "w3 to be first")
        table.select(["w1"])
        page.board._priority.setValue(6)
        await user.until(lambda: order() == ["w1", "w3", "w2"], "w1 to be first by priority")
        await user.until(lambda: "another desktop" in why_disabled(page.board._cancel), "why it cannot be cancelled")
        assert page.board._up.toolTip() == "It is the first already."

    window(script)


def test_settings_are_saved_on_the_runner_and_say_why_they_cannot(window: Any) -> None:
    async def script(user: User, runners: FakeRunners) -> None:
        page = await page_of(user, "atlas")
        page.tabs.set_value("settings")
        await user.until(lambda: why_disabled(page.form.save) == "Nothing is changed.", "the settings")
        page.form.cpu.setValue(3)
        page.form.quiet.set_values(((540, 1020),))
        page.form.quiet.changed.emit()
        await user.press("Save")
        await user.until(lambda: runners.machines["atlas"].settings.cpu_slots == 3, "them to be kept")
        assert runners.machines["atlas"].settings.quiet == ((540, 1020),)
        page.tabs.set_value("machine")
        await user.press("Free space")
        await user.until(lambda: any("19.0 GB freed" in text for text in user.window.toasts.texts()), "what was freed")
        await user.press("Drain")
        await user.until(lambda: page._badge.text == "Draining", "it to drain")
        runners.machines["atlas"].down = "The network is away."
        await user.until(lambda: "cannot be reached" in why_disabled(page.form.save), "the reason")

    window(script)


def test_a_silent_runner_is_asked_again_when_somebody_says_so(window: Any) -> None:
    async def script(user: User, runners: FakeRunners) -> None:
        page = await page_of(user, "cellar")
        await user.until(page._notice.isVisible, "the notice")
        assert "The machine is off." in page._notice._text.text()
        runners.machines["cellar"].down = ""
        await user.press("Try now")
        await user.until(lambda: page._badge.text == "Connected", "it to answer")
        assert not page._notice.isVisible()

    window(script)


def test_removing_refuses_while_jobs_run_unless_they_may_be_ended(window: Any) -> None:
    async def script(user: User, runners: FakeRunners) -> None:
        page = await page_of(user, "atlas")
        await user.until(lambda: page.state.queue.value, "the queue")
        page.remove()
        (dialog,) = dialogs()
        assert "4 jobs run or wait there" in why_disabled(dialog.primary)
        dialog.kill.click()
        await user.press("Remove")
        await user.until(lambda: "atlas" not in runners.machines, "it to be gone")
        await user.until(lambda: not dialogs() and user.window._seen("runners", "RunnersPage"), "the list")
        assert ("remove", (True, False)) in runners.calls

    window(script)


def test_a_pasted_command_becomes_a_runner_to_train_on(window: Any) -> None:
    async def script(user: User, runners: FakeRunners) -> None:
        user.drop(Path(str(resource("samples", "telco_churn.csv"))))
        await user.until(user.window.dataset_page, "the dataset")
        user.window.add_runner()
        dialog = await dialog_of(user, AddRunnerDialog)
        dialog.where.address.setText("ssh -p 2222 anna@box.example")
        assert dialog.where.name.text() == "box"
        await user.press("Connect")
        await user.press("Accept this key")
        assert dialog.key.fingerprint.text().startswith("SHA256:")
        assert "[SHA256]" in dialog.key._art.text.text()
        runners.failing = 1
        await user.press("Set it up")
        await user.until(lambda: dialog.plan.problem.isVisible(), "the lost connection")
        await user.press("Set it up")
        await user.press("Train on it…")
        train = await dialog_of(user, TrainDialog)
        await user.until(lambda: train.runners.choice.value() == "box" and train.primary.isEnabled(), "the choice")
        await user.until(lambda: train.runners.choice.option("atlas").right == "about 20 s", "the estimates")
        cellar = train.runners.choice._lines["cellar"]
        assert not cellar.isEnabled() and cellar.toolTip() == "The machine is off."
        train.runners.choice.set_value("any")
        train.runners.memory.setValue(24)
        assert train.state.order.value.runner == "any:24GB"
        train.runners.priority.set_value(5)
        assert train.state.order.value.priority == 5

    window(script)


def test_another_key_than_before_is_a_hard_stop(window: Any) -> None:
    async def script(user: User, runners: FakeRunners) -> None:
        runners.changed.add("evil.example")
        user.window.add_runner()
        dialog = await dialog_of(user, AddRunnerDialog)
        dialog.where.address.setText("anna@evil.example")
        await user.press("Connect")
        await user.until(lambda: dialog.state.step.value is Step.STOPPED, "the stop")
        words = {button.text() for button in dialog.findChildren(QPushButton) if button.isVisible()}
        assert words == {"Back", "Close"}
        assert ("accept", "evil.example") not in runners.calls

    window(script)


def test_a_password_is_asked_for_from_another_thread_and_only_once(window: Any) -> None:
    async def script(user: User, runners: FakeRunners) -> None:
        asker: LoginAsker = user.window.logins
        from mldesk.desktop.tasks import start

        task = start(in_thread(asker.password, "anna", "box", 2222), "ask")
        dialog = await dialog_of(user, LoginDialog)
        assert "anna@box:2222" in dialog.windowTitle()
        assert not dialog.keep.isChecked() and "keyring" in why_disabled(dialog.keep)
        dialog.fields[0].setText("secret")
        assert dialog.fields[0].echoMode() == QLineEdit.EchoMode.Password
        await user.press("Log in")
        assert await task == "secret" and asker.keep_last is False
        codes = start(in_thread(asker.answers, "box", "", [("Code: ", True), ("PIN:", False)]), "ask for codes")
        dialog = await dialog_of(user, LoginDialog)
        assert not dialog.keep.isVisible() and len(dialog.fields) == 2
        dialog.reject()
        assert await codes is None
        assert await in_thread(asker.answers, "box", "", [("Code: ", True)]) is None  # nobody is asked again by itself
        asker.allow()
        again = start(in_thread(asker.answers, "box", "", [("Code: ", True)]), "ask again")
        (await dialog_of(user, LoginDialog)).reject()
        assert await again is None

    window(script)


def test_rows_have_a_menu_at_the_right_mouse_button(window: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    monkeypatch.setattr(row_menu, "popup", lambda host, entries, at: shown.append(entries))

    async def script(user: User, runners: FakeRunners) -> None:
        user.drop(Path(str(resource("samples", "telco_churn.csv"))))
        await user.until(user.window.dataset_page, "the dataset")
        user.window.go("datasets")
        page = user.window.stack.currentWidget().list_page
        await user.until(lambda: page.table.records.records, "the row")
        page.table.customContextMenuRequested.emit(QPoint(30, 10))
        entries = {entry.title: entry for entry in shown[0]}
        assert {"Open", "Train a model…", "Show its versions"} <= set(entries)
        entries["Copy the name"].act()
        assert QGuiApplication.clipboard().text() == "telco_churn@1"
        entries["Move to the bin"].act()
        await user.until(lambda: page.state.datasets.value == (), "the empty list")
        await user.press("Undo")
        await user.until(lambda: page.state.datasets.value, "the dataset again")

    window(script)


def test_notices_cover_nothing_of_the_page(window: Any) -> None:
    async def script(user: User, runners: FakeRunners) -> None:
        main = user.window
        main.go("runners")
        await user.pause(0.1)
        before = main.stack.height()
        main.say("Something happened.", "info")
        await user.until(lambda: main.stack.height() < before, "the page to make room")
        toast = main.toasts._shown[0]
        assert toast.mapTo(main, QPoint(0, 0)).y() >= main.stack.mapTo(main, QPoint(0, main.stack.height())).y()
        main.toasts.clear()
        await user.until(lambda: main.stack.height() == before, "the page to have its room again")

    window(script)
