"""The theme: readable colours, colours that are told apart, icons, and following the system."""

from __future__ import annotations

import itertools
import sys

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QPlainTextEdit, QPushButton, QWidget

from mldesk.core.errors import NotFound
from mldesk.desktop import theme
from mldesk.desktop.theme import icons, manager, stylesheet
from mldesk.desktop.theme.tokens import PALETTES, TYPE, Palette
from mldesk.desktop.theme.wcag import contrast, luminance, mix

GROUNDS = ("window", "sidebar", "surface", "raised", "sunken", "hover", "pressed", "selected")
INKS = ("text", "muted", "accent_text", "success", "warning", "danger", "info")

palettes = pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)


def test_contrast_is_what_wcag_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#abcdef", "#abcdef") == 1


@palettes
def test_every_text_can_be_read_on_every_ground(palette: Palette) -> None:
    least = 7 if palette.name == "contrast" else 4.5
    poor = {(ink, ground): round(contrast(getattr(palette, ink), getattr(palette, ground)), 2)
            for ink in INKS for ground in GROUNDS
            if contrast(getattr(palette, ink), getattr(palette, ground)) < (least if ink in ("text", "muted") else 4.5)}
    assert not poor


@palettes
def test_words_on_filled_and_soft_grounds_can_be_read(palette: Palette) -> None:
    for tone in ("neutral", "info", "success", "warning", "danger", "accent"):
        assert contrast(*palette.tone(tone)) >= 4.5, tone
    for fill in (palette.accent, palette.accent_hover, palette.accent_pressed):
        assert contrast(palette.on_accent, fill) >= 4.5
    assert contrast("#ffffff", palette.danger_fill) >= 4.5


@palettes
@pytest.mark.parametrize("kind", [QLineEdit, QPlainTextEdit, QComboBox])
def test_what_an_empty_field_says_can_be_read(qapp: QApplication, palette: Palette, kind: type[QWidget]) -> None:
    theme.apply(qapp, palette.name)
    field = kind()
    field.ensurePolished()
    ink = field.palette().color(QPalette.ColorRole.PlaceholderText)
    assert ink.alpha() == 255   # a stylesheet that does not say makes it half as strong as the text
    assert contrast(ink.name(), palette.surface) >= 4.5


@palettes
def test_curves_and_the_focus_ring_stand_out_from_their_ground(palette: Palette) -> None:
    for colour in (*palette.series, palette.accent_text):
        assert contrast(colour, palette.surface) >= 3, colour


# Machado, Oliveira, Fernandes 2009: what is seen with no red, green or blue cones; linear RGB.
BLINDNESS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def _lab(colour: str, matrix: list[list[float]] | None) -> np.ndarray:
    rgb = np.array([int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    if matrix is not None:
        linear = np.clip(np.array(matrix) @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ linear
    x, y, z = np.cbrt(xyz / [0.9505, 1.0, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@palettes
@pytest.mark.parametrize("blindness", [None, *BLINDNESS])
def test_curves_are_told_apart_by_everyone(palette: Palette, blindness: str | None) -> None:
    matrix = BLINDNESS[blindness] if blindness else None
    seen = [_lab(colour, matrix) for colour in palette.series]
    nearest = min(float(np.linalg.norm(one - other)) for one, other in itertools.combinations(seen, 2))
    assert nearest > 15, f"{nearest:.1f}"  # 2.3 is just noticeable side by side


@palettes
def test_heat_goes_one_way_in_lightness(palette: Palette) -> None:
    steps = [luminance(colour) for colour in palette.heat]
    assert steps == sorted(steps, reverse=not palette.dark)
    assert mix(palette.heat[-1], palette.heat[0], 1.0) == palette.heat[-1]


@palettes
@pytest.mark.parametrize("scale", [0.8, 1.0, 2.0])
def test_the_stylesheet_has_every_name_filled_in(palette: Palette, scale: float) -> None:
    text = stylesheet.build(palette, scale, ("Mono",))
    assert "$" not in text
    assert palette.accent in text
    assert f"font-size: {round(TYPE['heading'].size * scale)}px" in text


@palettes
def test_the_stylesheets_pictures_are_found_and_tinted(palette: Palette, qapp: QApplication) -> None:
    stylesheet.register_images(palette)
    for name in ("chevron-down", "check", "check-text", "minus"):
        picture = QPixmap(f":/mldesk-{palette.name}/{name}.svg")
        assert not picture.isNull(), name
    image = QPixmap(f":/mldesk-{palette.name}/check-text.svg").toImage()
    inked = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
    darkest = max(inked, key=lambda colour: colour.alpha())
    assert darkest.name() == QColor(palette.text).name()


def test_a_chosen_mode_dresses_the_application_and_tells_those_who_paint(qapp: QApplication) -> None:
    told: list[str] = []
    theme.changed.connect(told_of := lambda: told.append(theme.palette().name))
    try:
        for mode in ("dark", "contrast", "light"):
            theme.apply(qapp, mode)  # type: ignore[arg-type]
            assert qapp.palette().window().color().name() == PALETTES[mode].window  # type: ignore[index]
    finally:
        theme.changed.disconnect(told_of)
    assert told == ["dark", "contrast", "light"]


def test_the_system_is_followed_live_and_a_choice_is_not_overruled(
        qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    def system_turns(name: str) -> None:  # the offscreen platform has no scheme of its own to set
        monkeypatch.setattr(manager, "system_colours", lambda: name)
        qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Unknown)

    theme.apply(qapp, "system")
    for name in ("dark", "light", "contrast"):
        system_turns(name)
        assert theme.palette().name == name
    theme.apply(qapp, "light")
    system_turns("dark")
    assert theme.palette().name == "light"


def test_text_size_grows_fonts_and_controls_within_its_limits(qapp: QApplication) -> None:
    theme.apply(qapp, "light", scale=1.5)
    assert theme.font("body").pixelSize() == round(TYPE["body"].size * 1.5)
    button = QPushButton("Train")
    button.ensurePolished()
    assert button.sizeHint().height() >= 46
    theme.apply(qapp, "light", scale=9)
    assert theme.THEME.scale == 2.0
    theme.apply(qapp, "light", scale=0.1)
    assert theme.THEME.scale == 0.8


def test_a_mode_that_does_not_exist_is_refused(qapp: QApplication) -> None:
    with pytest.raises(ValueError, match="sepia"):
        theme.apply(qapp, "sepia")  # type: ignore[arg-type]


def test_every_icon_is_drawn_by_strokes_in_the_current_colour(qapp: QApplication) -> None:
    assert len(icons.names()) >= 35
    for name in icons.names():
        text = icons.svg(name)
        assert "currentColor" in text and 'viewBox="0 0 24 24"' in text, name
        image = icons.pixmap(name, "#ff0000", 24).toImage()
        inked = [image.pixelColor(x, y) for x in range(24) for y in range(24) if image.pixelColor(x, y).alpha() > 200]
        assert inked, name
        assert all(colour.red() > 250 and colour.green() < 5 for colour in inked), name


def test_an_icon_is_grey_while_its_button_is_off_and_sharp_on_dense_screens(qapp: QApplication) -> None:
    made = theme.icon("play", "accent", 16)
    assert len(made.availableSizes()) >= 2
    assert icons.pixmap("play", "#000000", 16, 2.0).width() == 32


def test_the_application_has_an_icon_of_its_own(qapp: QApplication) -> None:
    assert not theme.app_icon().pixmap(64, 64).isNull()


def test_an_unknown_icon_is_named(qapp: QApplication) -> None:
    with pytest.raises(NotFound, match="unicorn"):
        theme.icon("unicorn")


def test_the_ring_is_for_the_keyboard(qapp: QApplication, qtbot: object) -> None:
    from PySide6.QtWidgets import QHBoxLayout, QWidget

    host = QWidget()
    line = QHBoxLayout(host)
    first, second = QPushButton("first"), QPushButton("second")
    line.addWidget(first)
    line.addWidget(second)
    host.show()
    host.activateWindow()
    first.setFocus(Qt.FocusReason.OtherFocusReason)
    assert QTest.qWaitForWindowActive(host, 60_000)   # milliseconds; else nobody hears of a focus
    qapp.processEvents()
    assert not first.property("ring")  # the window's first focus is nobody's doing
    second.setFocus(Qt.FocusReason.TabFocusReason)
    qapp.processEvents()
    assert second.property("ring")
    first.setFocus(Qt.FocusReason.TabFocusReason)
    qapp.processEvents()
    assert first.property("ring") and not second.property("ring")
    host.close()


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal there")
def test_qt_calls_do_not_eat_references_to_none(qapp: QApplication) -> None:
    button = QPushButton("x")
    before = sys.getrefcount(None)
    for number in range(2000):
        button.setText(str(number))
        button.setToolTip("tip")
    assert sys.getrefcount(None) > before - 500  # PySide6 6.12.0 loses one a call and ends the process
