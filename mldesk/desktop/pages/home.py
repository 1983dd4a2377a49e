"""Home: three doors for the first minute, what goes on and was looked at last, and projects to start from."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import theme, words
from mldesk.desktop.pages.home_templates import TemplateSection
from mldesk.desktop.pages.page import Page
from mldesk.desktop.pages.runs.run_fields import began, state_badge
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.lists import DatasetList, ModelList, RunList
from mldesk.desktop.states.runner_watch import LOCAL
from mldesk.desktop.theme import Space, Tone
from mldesk.desktop.theme.icons import pixmap
from mldesk.desktop.theme.manager import RING
from mldesk.desktop.widgets.badges import Badge
from mldesk.desktop.widgets.buttons import make_button
from mldesk.desktop.widgets.card import Card
from mldesk.desktop.widgets.flow import FlowBox
from mldesk.desktop.widgets.header import PageHeader
from mldesk.desktop.widgets.press_card import PressCard
from mldesk.desktop.widgets.text import ElidedLabel, ScrollPage, make_label

if TYPE_CHECKING:
    from mldesk.library.records import Run

RECENT = 5  # entries per list
_State = tuple[str, Tone, str]   # words, tone and icon of a badge


class Door(PressCard):
    """A large button: an icon, what it does, and a line on what then happens."""

    def __init__(self, icon: str, title: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon, self._title, self._line = icon, title, text
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(title)
        self.setAccessibleDescription(text)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        pad = theme.px(18)
        room = QRect(0, 0, width - 2 * pad, 10_000)
        caption = QFontMetrics(theme.font("caption"))
        line = caption.boundingRect(room, int(Qt.TextFlag.TextWordWrap), self._line).height()
        return pad + theme.px(36) + theme.px(12) + QFontMetrics(theme.font("subtitle")).height() + 4 + line + pad

    def sizeHint(self) -> QSize:
        return QSize(theme.px(240), self.heightForWidth(theme.px(240)))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(150), self.heightForWidth(theme.px(150)) // 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pad, size = theme.px(18), theme.px(36)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("accent_soft"))
        painter.drawRoundedRect(QRectF(pad, pad, size, size), 8, 8)
        mark = theme.px(20)
        painter.drawPixmap(round(pad + (size - mark) / 2), round(pad + (size - mark) / 2), mark, mark,
                           pixmap(self._icon, theme.palette().accent_text, mark, self.devicePixelRatioF()))
        top = pad + size + theme.px(12)
        painter.setPen(theme.colour("text"))
        painter.setFont(theme.font("subtitle"))
        height = painter.fontMetrics().height()
        painter.drawText(QRectF(pad, top, self.width() - 2 * pad, height), Qt.AlignmentFlag.AlignVCenter, self._title)
        painter.setPen(theme.colour("muted"))
        painter.setFont(theme.font("caption"))
        painter.drawText(QRectF(pad, top + height + 4, self.width() - 2 * pad, self.height() - top - height - 10),
                         int(Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap), self._line)


class Entry(QAbstractButton):
    """One line of a list of recent things: a name, a muted line, a badge. Pressing it opens the thing."""

    def __init__(self, title: str, line: str, opens: Callable[[], object], badge: QWidget | None = None) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setAccessibleName(f"{title}, {line}")
        self.clicked.connect(lambda _checked=False: opens())
        name = ElidedLabel(title, "strong")
        what = ElidedLabel(line, "caption", "muted")
        text = QVBoxLayout()
        text.setSpacing(1)
        text.addWidget(name)
        text.addWidget(what)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(Space.S, Space.S - 2, Space.S, Space.S - 2)
        layout.setSpacing(Space.M)
        layout.addLayout(text, 1)
        if badge is not None:
            layout.addWidget(badge)
        for child in self.findChildren(QWidget):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def sizeHint(self) -> QSize:
        layout = self.layout()
        return layout.sizeHint() if layout is not None else super().sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour("accent_text"), 2) if self.property(RING) else Qt.PenStyle.NoPen)
        if self.underMouse() or self.isDown():
            painter.setBrush(theme.colour("hover"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)


def _far(run: Run) -> list[str]:
    """Return where a run works if it is not this machine."""
    return [] if run.runner == LOCAL else [words.tr("on {runner}").format(runner=run.runner)]


def _when(run: Run) -> str:
    """Return when a run began or will; "" where that is not known yet."""
    return "" if (text := began(run)) == words.MISSING else text


def _badge(state: _State) -> Badge:
    text, tone, icon = state
    return Badge(text, tone, icon=icon)


class HomePage(Page):
    """Three doors, below them the newest datasets, runs and models, then projects to start from."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._datasets, self._runs, self._models = (
            DatasetList(shell.desk), RunList(shell.desk, RECENT), ModelList(shell.desk))
        page = ScrollPage()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(page)
        page.body.addWidget(PageHeader(
            self.tr("Home"), self.tr("Everything stays on this machine unless you send it away.")))
        page.body.addLayout(self._make_doors())
        self._problem = Card(self.tr("The library cannot be opened"))
        self._problem_text = make_label("", wrap=True, selectable=True)
        self._problem.add(self._problem_text)
        self._problem.hide()
        page.body.addWidget(self._problem)
        self._recent = FlowBox(spacing=Space.L, least=290, scrolls=True)
        page.body.addWidget(self._recent)
        self._said: dict[Card, list[tuple[str, str, _State | None]]] = {}
        self._cards = [Card(self.tr("Runs"), actions=[self._all("runs")]), Card(self.tr("Datasets"),
                       actions=[self._all("datasets")]), Card(self.tr("Models"), actions=[self._all("models")])]
        for card in self._cards:
            card.body.setSpacing(0)
            self._recent.add(card)
            card.hide()
        page.body.addWidget(TemplateSection(lambda template: shell.start_template(template.name)))
        page.body.addStretch(1)
        self.keep(shell.desk.failed.subscribe(self._on_failed))

    def _make_doors(self) -> QHBoxLayout:
        doors = QHBoxLayout()
        doors.setSpacing(Space.L)
        for icon, title, text, does in (
            ("play", self.tr("Try a sample"),
             self.tr("Real, messy data that came with MLDesk. Look, clean, train."), self.shell.choose_sample),
            ("dataset", self.tr("Open my table"),
             self.tr("CSV, Excel, JSON or Parquet. Or drop a file anywhere on this window."), self.shell.choose_import),
            ("bundle", self.tr("Import a model"),
             self.tr("A .mlbundle from somebody else. You see what is inside before it loads."),
             self.shell.choose_bundle),
        ):
            door = Door(icon, title, text)
            door.clicked.connect(lambda _checked=False, does=does: does())
            doors.addWidget(door, 1)
        return doors

    def _all(self, place: str) -> QWidget:
        button = make_button(self.tr("See all"), "link")
        button.clicked.connect(lambda: self.shell.go(place))
        return button

    def _on_failed(self, error: MldeskError | None) -> None:
        self._problem.setVisible(error is not None)
        if error is not None:
            self._problem_text.setText(f"{error.message}\n{error.advice}".strip())

    async def refresh(self) -> None:
        await self._runs.refresh()
        await self._datasets.refresh()
        await self._models.refresh()
        self._fill(self._cards[0], [
            (run.name, " · ".join(filter(None, (run.dataset, _when(run), *_far(run),
                                                 words.estimator_name(run.estimator)))),
             partial(self.shell.open_run, run.id), state_badge(run, self.shell))
            for run in self._runs.runs.value or ()])
        newest = sorted(self._datasets.datasets.value or (), key=lambda item: item.head.created, reverse=True)
        self._fill(self._cards[1], [
            (item.name, f"{words.shape(item.head.rows, len(item.head.columns))} · {words.when(item.head.created)}",
             partial(self.shell.open_dataset, item.name), None) for item in newest[:RECENT]])
        models = sorted(self._models.models.value or (), key=lambda item: item.head.created, reverse=True)
        self._fill(self._cards[2], [
            (item.name, " · ".join((words.task_name(item.head.task),
                                    words.counted(item.versions, self.tr("version"), self.tr("versions")))),
             partial(self.shell.open_model, item.name), None) for item in models[:RECENT]])

    def _fill(self, card: Card, entries: list[tuple[str, str, Callable[[], object], _State | None]]) -> None:
        """Show other entries; nothing is made anew, and no focus lost, while they say the same."""
        said = [(title, line, state) for title, line, _, state in entries]
        if self._said.get(card) == said:
            return
        self._said[card] = said
        while card.body.count():
            taken = card.body.takeAt(0)
            if taken is not None and (widget := taken.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for title, line, opens, state in entries:
            card.body.addWidget(Entry(title, line, opens, None if state is None else _badge(state)))
        card.body.addStretch(1)
        card.setVisible(bool(entries))
