"""The theme in force: follows the system or a choice, scales the text, and tells widgets that paint themselves.

Use it through ``mldesk.desktop.theme``: ``theme.apply(app, "system")``, ``theme.changed``, ``theme.palette()``.
"""

from __future__ import annotations

from typing import Literal, get_args

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QIcon, QPalette
from PySide6.QtWidgets import QAbstractButton, QApplication, QToolTip, QWidget
from shiboken6 import isValid

from mldesk.desktop.theme import icons, stylesheet
from mldesk.desktop.theme.tokens import MONO, PALETTES, SANS, TYPE, ColourName, Palette, Size, TextRole

Mode = Literal["system", "light", "dark", "contrast"]
RING = "ring"  # dynamic property of the widget that the keyboard is on
RINGED = "ringed"  # ... of a widget that is no button and draws a ring as well


class Theme(QObject):
    """The one theme of the process. Signals: ``changed`` after colours or text size became others."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._app: QApplication | None = None
        self._mode: Mode = "system"
        self._scale = 1.0
        self._palette = PALETTES["light"]
        self._applying = False
        self._ringed: QWidget | None = None

    @property
    def mode(self) -> Mode:
        """What was chosen; ``palette().name`` says what came of it."""
        return self._mode

    @property
    def scale(self) -> float:
        """Text size relative to 100 %."""
        return self._scale

    def palette(self) -> Palette:
        return self._palette

    def colour(self, name: str) -> QColor:
        """Return the palette's colour ``name`` for painting."""
        return QColor(str(getattr(self._palette, name)))

    def px(self, size: float) -> int:
        """Return ``size`` (pixels at 100 %) at the present text size."""
        return max(1, round(size * self._scale))

    def font(self, role: TextRole = "body") -> QFont:
        """Return the font of a step of the type scale, digits all of one width."""
        step = TYPE[role]
        font = QFont()
        font.setFamilies(_installed(MONO if role == "mono" else SANS))
        font.setPixelSize(self.px(step.size))
        font.setWeight(QFont.Weight(step.weight))
        if role == "mono":
            font.setStyleHint(QFont.StyleHint.Monospace)
        font.setFeature(QFont.Tag("tnum"), 1)
        return font

    def icon(self, name: str, role: icons.Role = "text", size: int = Size.ICON, *,
             checked: icons.Role | None = None, air: int = 0) -> QIcon:
        """Return icon ``name`` in the colour of ``role`` now; ``set_icon`` of the widgets keeps it so.

        ``air`` is room at its right in pixels at 100 %, before words.
        """
        colour = icons.colour_of(role, self._palette)
        on = icons.colour_of(checked, self._palette) if checked else colour
        return icons.make_icon(name, colour, self._palette.faint, on, self.px(size), self.px(air) if air else 0)

    def apply(self, app: QApplication, mode: Mode = "system", scale: float | None = None) -> None:
        """Dress ``app``. ``scale`` is the text size, 0.8 to 2.0; None keeps the present one. Raises ValueError."""
        if mode not in get_args(Mode):
            raise ValueError(f"{mode!r} is no theme; there are {', '.join(get_args(Mode))}")
        self._follow(app)
        self._mode = mode
        if scale is not None:
            self._scale = min(Size.SCALE_HIGH, max(Size.SCALE_LOW, scale))
        self._tell_platform(mode)
        self._dress(app)

    def _follow(self, app: QApplication) -> None:
        if self._app is app:
            return
        self._app = app
        app.setStyle("Fusion")
        app.styleHints().colorSchemeChanged.connect(self._on_system_changed)
        app.focusChanged.connect(self._show_ring)

    def _tell_platform(self, mode: Mode) -> None:
        """Title bars and native dialogs follow the choice, too."""
        schemes = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark, "contrast": Qt.ColorScheme.Dark}
        self._applying = True
        try:
            QGuiApplication.styleHints().setColorScheme(schemes.get(mode, Qt.ColorScheme.Unknown))
        finally:
            self._applying = False

    def _on_system_changed(self) -> None:
        if self._app is not None and not self._applying and self._mode == "system":
            self._dress(self._app)

    def _show_ring(self, old: QWidget | None, new: QWidget | None) -> None:
        """Put the focus ring on a button that the keyboard reached: not on a clicked one, nor on a window's first."""
        if new is None:
            return  # the window is not the active one any more: the ring waits there
        if self._ringed is not None and self._ringed is not new and isValid(self._ringed):
            _set_ring(self._ringed, False)
        by_keyboard = old is not None and old.window() is new.window() \
            and QApplication.mouseButtons() == Qt.MouseButton.NoButton
        if by_keyboard and (isinstance(new, QAbstractButton) or new.property(RINGED)):
            self._ringed = new
            _set_ring(new, True)

    def _resolved(self) -> ColourName:
        if self._mode != "system":
            return self._mode
        return system_colours()

    def _dress(self, app: QApplication) -> None:
        self._palette = PALETTES[self._resolved()]
        stylesheet.register_images(self._palette)
        app.setFont(self.font("body"))
        colours = qt_palette(self._palette)
        app.setPalette(colours)
        QToolTip.setPalette(colours)
        QToolTip.setFont(self.font("caption"))
        # Replaced in place, every widget would be dressed anew once for each of its ancestors, which takes ten times as
        # long in a full window; taken off and put on, each is dressed twice.
        app.setStyleSheet("")
        app.setStyleSheet(stylesheet.build(self._palette, self._scale, _installed(MONO)))
        self.changed.emit()


def system_colours() -> ColourName:
    """Return what the system asks for; light where it says nothing."""
    hints = QGuiApplication.styleHints()
    if hints.accessibility().contrastPreference() is Qt.ContrastPreference.HighContrast:
        return "contrast"
    return "dark" if hints.colorScheme() is Qt.ColorScheme.Dark else "light"


def qt_palette(tokens: Palette) -> QPalette:
    """Return Qt's palette for what the stylesheet does not reach: Fusion's own drawing, pyqtgraph, native parts."""
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    made = QPalette()
    for where, colour in {
        role.Window: tokens.window, role.WindowText: tokens.text, role.Base: tokens.surface,
        role.AlternateBase: tokens.sunken, role.Text: tokens.text, role.Button: tokens.surface,
        role.ButtonText: tokens.text, role.BrightText: tokens.on_accent, role.ToolTipBase: tokens.raised,
        role.ToolTipText: tokens.text, role.PlaceholderText: tokens.muted, role.Highlight: tokens.selected,
        role.HighlightedText: tokens.text, role.Link: tokens.accent_text, role.LinkVisited: tokens.accent_text,
        role.Light: tokens.hover, role.Midlight: tokens.border, role.Mid: tokens.border_strong,
        role.Dark: tokens.border_strong, role.Shadow: tokens.border_strong, role.Accent: tokens.accent,
    }.items():
        made.setColor(where, QColor(colour))
    for where in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        made.setColor(group.Disabled, where, QColor(tokens.faint))
    return made


_families: dict[tuple[str, ...], list[str]] = {}


def _installed(wanted: tuple[str, ...]) -> list[str]:
    """Return those of ``wanted`` that this machine has; the system's own family if it has none of them."""
    if wanted not in _families:
        kind = QFontDatabase.SystemFont.FixedFont if wanted is MONO else QFontDatabase.SystemFont.GeneralFont
        system = QFontDatabase.systemFont(kind).family()
        _families[wanted] = [name for name in wanted if QFontDatabase.hasFamily(name)] or [system]
    return _families[wanted]


def _set_ring(button: QWidget, on: bool) -> None:
    if bool(button.property(RING)) == on:
        return
    button.setProperty(RING, on)
    button.style().unpolish(button)
    button.style().polish(button)
    button.update()


def repolish(widget: QWidget) -> None:
    """Let the stylesheet look at a widget again after one of its dynamic properties changed."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()


def is_theme_event(event: QEvent) -> bool:
    """Say whether a ``changeEvent`` came from a change of theme or text size."""
    return event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange, QEvent.Type.StyleChange)


THEME = Theme()
