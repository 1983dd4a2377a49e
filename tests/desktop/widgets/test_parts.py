"""The smaller widgets: they say what they mean, to the eye and to a screen reader, by mouse and by keyboard."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from concurrent.futures import Future

import pytest
import shiboken6
from PySide6.QtCore import QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from mldesk.desktop import theme
from mldesk.desktop.widgets import (
    Badge,
    Card,
    ColumnProfileCard,
    ElidedLabel,
    EmptyState,
    FlowBox,
    Later,
    LogView,
    PageHeader,
    ProgressLine,
    ReasonLine,
    SearchField,
    Segmented,
    Sheet,
    SideBar,
    Spinner,
    SplitView,
    StateBadge,
    Tabs,
    Toasts,
    disable,
    enable,
    make_button,
    make_icon_button,
    make_label,
    set_icon,
    why_disabled,
)
from mldesk.desktop.widgets.profile import TopValues
from mldesk.wire.states import JobState


@pytest.mark.parametrize("state", JobState)
def test_every_state_of_a_job_has_words_of_its_own(state: JobState, qtbot: QtBot) -> None:
    badge = StateBadge.for_state(state)
    qtbot.addWidget(badge)
    assert badge.text and badge.accessibleName() == badge.text
    others = [StateBadge.for_state(other) for other in JobState if other is not state]
    for other in others:
        qtbot.addWidget(other)
    assert badge.text not in {other.text for other in others}


def test_a_badge_grows_with_its_words(qtbot: QtBot) -> None:
    badge = Badge("a")
    qtbot.addWidget(badge)
    narrow = badge.sizeHint().width()
    badge.set("a much longer text", "danger", "warning")
    assert badge.sizeHint().width() > narrow and badge.tone == "danger"
    assert not badge.grab().isNull()


def test_what_is_off_says_why_and_forgets_it_when_on(qtbot: QtBot) -> None:
    button = make_button("Train", "primary", tooltip="Fit a model")
    reason = ReasonLine(button)
    qtbot.addWidget(button)
    qtbot.addWidget(reason)
    assert why_disabled(button) == "" and reason.isHidden()
    disable(button, "Choose a target.")
    disable(button, "Choose a target column.")
    assert not button.isEnabled()
    assert button.toolTip() == button.accessibleDescription() == why_disabled(button) == "Choose a target column."
    assert not reason.isHidden()
    enable(button)
    assert button.isEnabled() and button.toolTip() == "Fit a model" and button.accessibleDescription() == ""
    assert reason.isHidden()


def test_icon_buttons_have_names(qtbot: QtBot) -> None:
    button = make_icon_button("more", "More")
    qtbot.addWidget(button)
    assert button.accessibleName() == button.toolTip() == "More"
    assert button.focusPolicy() == Qt.FocusPolicy.StrongFocus


def test_icons_follow_the_theme_and_die_with_their_button(qapp: QApplication) -> None:
    button = QPushButton("Train")
    set_icon(button, "play")
    light = button.icon().pixmap(16, 16).toImage()
    set_icon(button, "play")
    assert len(button.findChildren(QObject, options=Qt.FindChildOption.FindDirectChildrenOnly)) == 1
    theme.apply(qapp, "dark")
    assert button.icon().pixmap(16, 16).toImage() != light
    shiboken6.delete(button)
    gc.collect()
    theme.apply(qapp, "light")


def test_an_empty_place_offers_the_next_step(qtbot: QtBot) -> None:
    state = EmptyState("dataset", "No datasets yet", "Drop a file here.", "Import a table")
    qtbot.addWidget(state)
    assert state.action is not None
    with qtbot.waitSignal(state.acted):
        state.action.click()
    assert state.accessibleName() == "No datasets yet"
    state.resize(300, 400)
    assert not state.grab().isNull()


def test_toasts_stack_stay_go_and_act(qtbot: QtBot) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    host.resize(900, 600)
    host.show()
    toasts, undone = Toasts(host), []
    toasts.show("Imported.", "success", seconds=0.02)
    toasts.show("Removed “adult”.", "info", ("Undo", lambda: undone.append(1)), seconds=0)
    last = toasts.show("The disk is full.", "danger")
    assert last.geometry().right() < host.width() and last.geometry().bottom() < host.height()
    qtbot.waitUntil(lambda: toasts.texts() == ["Removed “adult”.", "The disk is full."])
    host.resize(700, 500)
    assert last.geometry().right() < 700
    link = next(button for button in host.findChildren(QPushButton) if button.text() == "Undo")
    link.click()
    assert undone == [1] and toasts.texts() == ["The disk is full."]
    for number in range(9):
        toasts.show(f"Notice {number}", seconds=0)
    assert len(toasts.texts()) == 3
    toasts.clear()
    assert toasts.texts() == []


def test_progress_is_told_in_words_and_unknown_progress_moves_only_while_shown(qtbot: QtBot) -> None:
    line = ProgressLine(0.42, "about 2 min left", "Training")
    qtbot.addWidget(line)
    assert line._text.text() == "Training · 42%" and line._bar.value() == 420
    line.set(None, "Preparing")
    assert not line._bar._timer.isActive()
    line.show()
    assert line._bar._timer.isActive()
    line.hide()
    assert not line._bar._timer.isActive()
    line.set(7.5, "Done", tone="success")
    assert line._text.text() == "Done · 100%"
    spinner = Spinner()
    qtbot.addWidget(spinner)
    spinner.show()
    assert spinner._timer.isActive() and not spinner.grab().isNull()
    spinner.hide()
    assert not spinner._timer.isActive()


def test_segments_move_by_arrows_and_skip_what_is_off(qtbot: QtBot) -> None:
    strip = Segmented([("a", "A"), ("b", "B"), ("c", "C")], "a")
    qtbot.addWidget(strip)
    strip.show()
    strip.set_enabled("b", "Not here.")
    assert why_disabled(strip.button("b")) == "Not here."
    with qtbot.waitSignal(strip.changed) as told:
        qtbot.keyClick(strip, Qt.Key.Key_Right)
    assert told.args == ["c"] and strip.value() == "c"
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    assert strip.value() == "a"
    strip.set_enabled("b")
    assert strip.button("b").isEnabled()
    stops = [key for key in "abc" if strip.button(key).focusPolicy() & Qt.FocusPolicy.TabFocus]
    assert stops == ["a"]  # one stop for Tab
    with pytest.raises(ValueError, match="list"):
        strip.set_value("d")


def test_tabs_show_the_page_of_the_word_chosen(qtbot: QtBot) -> None:
    tabs = Tabs()
    qtbot.addWidget(tabs)
    pages = {key: make_label(key) for key in ("data", "columns")}
    for key, page in pages.items():
        tabs.add(key, key.capitalize(), page)
    assert tabs.value() == "data" and tabs.pages.currentWidget() is pages["data"]
    with qtbot.waitSignal(tabs.changed):
        tabs.set_value("columns")
    assert tabs.pages.currentWidget() is pages["columns"]


def test_the_side_bar_goes_places_by_mouse_and_keys(qtbot: QtBot) -> None:
    bar = SideBar()
    qtbot.addWidget(bar)
    bar.resize(208, 500)
    bar.show()
    bar.add_item("datasets", "Datasets", "dataset")
    bar.add_item("runs", "Runs", "run")
    bar.add_item("settings", "Settings", "settings", bottom=True)
    assert bar.current() == "datasets"
    with qtbot.waitSignal(bar.selected) as told:
        qtbot.keyClick(bar, Qt.Key.Key_Down)
    assert told.args == ["runs"]
    bar.set_count("runs", 1204)
    assert bar._entries["runs"].accessibleName() == "Runs, 1,204"
    wide = bar.width()
    bar.adapt(700)
    assert bar.width() < wide and bar._entries["runs"].toolTip() == "Runs"
    assert not bar.grab().isNull()
    bar.adapt(1400)
    assert bar.width() == wide
    bar.set_count("runs", None)
    assert bar._entries["runs"].accessibleName() == "Runs"


def test_a_search_waits_for_a_pause_and_tells_a_text_once(qtbot: QtBot) -> None:
    field = SearchField("Search columns", pause=10)
    qtbot.addWidget(field)
    told: list[str] = []
    field.searched.connect(told.append)
    QTest.keyClicks(field, "age")
    qtbot.waitUntil(lambda: told == ["age"])
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert told == ["age"]
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert told == ["age", ""] and field.text() == ""


def test_a_log_follows_its_end_until_the_reader_looks_up(qtbot: QtBot) -> None:
    log = LogView(lines=500)
    qtbot.addWidget(log)
    log.resize(400, 200)
    log.show()
    for number in range(400):
        log.append_text(f"line {number}\n")
    bar = log.verticalScrollBar()
    assert bar.value() == bar.maximum()
    bar.setValue(10)
    log.append_text("more\n" * 20)
    assert bar.value() == 10 and not log._jump.isHidden()
    log._jump.click()
    assert bar.value() == bar.maximum() and log._jump.isHidden()
    log.append_text("x\n" * 1000)
    assert log.document().blockCount() <= 500


@pytest.mark.parametrize(("pieces", "text"), [
    (["a\nb\n", "c"], "a\nb\nc"), (["par", "tial\nnext"], "partial\nnext"), (["10%\r20%\r30%\ndone"], "30%\ndone"),
    (["10%", "\r20%", "\r30%", "\nend"], "30%\nend"), (["windows\r\nlines\r\n"], "windows\nlines\n"), ([""], ""),
])
def test_a_log_puts_pieces_together_as_a_terminal_does(qtbot: QtBot, pieces: list[str], text: str) -> None:
    log = LogView()
    qtbot.addWidget(log)
    for piece in pieces:
        log.append_text(piece)
    assert log.toPlainText() == text
    log.set_text("anew")
    assert log.toPlainText() == "anew"


def test_a_sheet_stays_open_until_the_work_is_taken_on(qtbot: QtBot) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    host.show()
    sheet = Sheet("Delete", host, text="For good?", primary="Delete", danger=True)
    sheet.open()
    assert sheet.isVisible() and sheet.isModal()
    with qtbot.waitSignal(sheet.confirmed):
        sheet.primary.click()
    assert sheet.isVisible()
    sheet.set_error("It is in use.")
    assert not sheet._error.isHidden()
    sheet.set_busy("Deleting…")
    assert not sheet.primary.isEnabled() and not sheet.reason.isHidden()
    sheet.set_busy()
    assert sheet.primary.isEnabled()
    with qtbot.waitSignal(sheet.confirmed):
        qtbot.keyClick(sheet, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    assert not sheet.isVisible()


def test_a_long_line_ends_in_dots_and_is_whole_in_its_tooltip(qtbot: QtBot) -> None:
    label = ElidedLabel("a name that is far too long for its place")
    qtbot.addWidget(label)
    label.resize(60, 20)
    label.grab()
    assert label.toolTip() == label.text()
    label.resize(900, 20)
    label.grab()
    assert label.toolTip() == ""
    hint = ElidedLabel("a hint that is far too long for its place", whole=True)
    qtbot.addWidget(hint)
    empty = ElidedLabel("")
    qtbot.addWidget(empty)
    for one in (hint, empty):
        one.resize(60, 20)
    assert hint.grab().toImage() == empty.grab().toImage() and hint.toolTip() == hint.text()


def test_cards_flow_into_as_many_columns_as_fit(qtbot: QtBot) -> None:
    box = FlowBox(spacing=10, least=200)
    qtbot.addWidget(box)
    for number in range(5):
        box.add(Card(f"Card {number}"))
    box.resize(630, 900)
    box.show()
    widgets = [box.flow.itemAt(index).widget() for index in range(5)]  # type: ignore[union-attr]
    assert len({widget.x() for widget in widgets}) == 3
    assert widgets[3].y() > widgets[0].geometry().bottom()
    tall = box.flow.heightForWidth(210)
    assert tall > box.flow.heightForWidth(630)
    box.clear()
    assert box.flow.count() == 0


@pytest.mark.parametrize("facts", [
    {"type": "number", "missing": 3, "distinct": 5, "min": 0.5, "max": 9.0, "mean": 4.0, "std": 1.0,
     "histogram": {"edges": [0, 1, 2], "counts": [4, 5]}},
    {"type": "text", "missing": 0, "distinct": 2, "top": [["a", 5], [None, 2]]},
    {"type": "text", "missing": 10, "distinct": 0, "top": []},
    {"type": "boolean", "distinct": 2, "top": [[True, 5]], "histogram": None},
    {"type": "datetime", "min": "2026-01-01T00:00:00", "max": "2026-02-01T00:00:00",
     "histogram": {"edges": ["2026-01-01", "2026-02-01"], "counts": [10]}},
    {"type": "integer", "min": None, "max": None, "mean": None, "std": None, "histogram": {"edges": [], "counts": []}},
])
def test_a_column_of_any_kind_has_a_profile(qtbot: QtBot, facts: dict[str, object]) -> None:
    card = ColumnProfileCard("列", facts, 10)
    qtbot.addWidget(card)
    card.resize(250, 200)
    assert not card.grab().isNull()
    with qtbot.waitSignal(card.chosen) as told:
        qtbot.mouseClick(card, Qt.MouseButton.LeftButton)
    assert told.args == ["列"]
    with qtbot.waitSignal(card.chosen):
        qtbot.keyClick(card, Qt.Key.Key_Return)


def test_a_card_of_numbers_says_quantiles_and_the_values_of_few(qtbot: QtBot) -> None:
    cuts = {"0.01": 1, "0.05": 1, "0.25": 2, "0.5": 3, "0.75": 4, "0.95": 5, "0.99": 5}
    facts = {"type": "integer", "missing": 0, "distinct": 3, "min": 1, "max": 5, "mean": 3.0, "std": 1.0,
             "quantiles": cuts, "top": [[3, 6], [1, 2], [5, 2]], "histogram": {"edges": [1, 3, 5], "counts": [2, 8]}}
    card = ColumnProfileCard("n", facts, 10)
    qtbot.addWidget(card)
    assert "5 % 1, 95 % 5, 25 % 2, 75 % 4, Median 3" in card.accessibleDescription()
    assert [part.accessibleName() for part in card.findChildren(TopValues)] == ["3: 6, 1: 2, 5: 2"]
    many = ColumnProfileCard("n", {**facts, "distinct": 11}, 10)
    qtbot.addWidget(many)
    assert not many.findChildren(TopValues)


def test_parts_side_by_side_cannot_be_dragged_away(qtbot: QtBot) -> None:
    split = SplitView(make_label("left"), make_label("right"))
    qtbot.addWidget(split)
    split.set_shares(1, 3)
    assert split.count() == 2 and not split.childrenCollapsible()


def test_a_header_takes_actions_badges_and_a_way_back(qtbot: QtBot) -> None:
    header = PageHeader("adult", "48,842 rows", [make_button("Train", "primary")], with_back=True)
    qtbot.addWidget(header)
    header.add_badge(Badge("v3"))
    header.set_title("adult@3")
    header.set_subtitle("")
    header.resize(500, 60)
    assert not header.grab().isNull()


def test_results_of_threads_arrive_in_this_one_and_forgotten_ones_do_not(qtbot: QtBot) -> None:
    later, got, wrong = Later(), [], []
    work: Future[int] = Future()
    later.when(work, lambda value: got.append((value, threading.current_thread())), wrong.append)
    threading.Thread(target=work.set_result, args=(7,)).start()
    qtbot.waitUntil(lambda: bool(got))
    assert got == [(7, threading.main_thread())]
    failed: Future[int] = Future()
    later.when(failed, got.append, wrong.append)
    failed.set_exception(OSError("gone"))
    qtbot.waitUntil(lambda: bool(wrong))
    stale: Future[int] = Future()
    later.when(stale, got.append, wrong.append)
    later.forget()
    stale.set_result(1)
    dropped: Future[int] = Future()
    later.when(dropped, got.append, wrong.append)
    dropped.cancel()
    qtbot.wait(20)
    assert len(got) == 1 and len(wrong) == 1
    later.when(5, got.append, wrong.append)
    assert got[-1] == 5


def test_a_result_that_comes_after_its_widget_is_gone_harms_nobody(qapp: QApplication) -> None:
    later, got = Later(), []
    work: Future[int] = Future()
    later.when(work, got.append, got.append)
    shiboken6.delete(later)
    work.set_result(1)
    qapp.processEvents()
    assert got == []


def test_widgets_without_curves_do_not_wait_for_the_plotting_library() -> None:
    code = ("import sys, mldesk.desktop.widgets as w; assert not {'pyqtgraph', 'numpy'} & set(sys.modules); "
            "w.Chart; assert 'pyqtgraph' in sys.modules")
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_an_unknown_widget_is_an_attribute_error() -> None:
    import mldesk.desktop.widgets as widgets
    with pytest.raises(AttributeError, match="Unicorn"):
        widgets.Unicorn  # noqa: B018


def test_the_gallery_shows_every_widget_in_every_theme(qapp: QApplication, qtbot: QtBot) -> None:
    from mldesk.desktop.gallery import Gallery
    gallery = Gallery()
    qtbot.addWidget(gallery)
    gallery.resize(900, 600)
    gallery.show()
    sheet = gallery.open_sheet()
    gallery.show_toasts()
    for mode in ("dark", "contrast", "light"):
        theme.apply(qapp, mode)  # type: ignore[arg-type]
        for key in ("controls", "forms", "data", "charts", "states"):
            gallery.bar.set_current(key)
            qapp.processEvents()
            assert not gallery.grab().isNull()
    sheet.reject()
