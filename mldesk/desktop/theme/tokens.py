"""Every colour, size and distance of the window, in one place. Widgets and the stylesheet name roles, never values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ColourName = Literal["light", "dark", "contrast"]
Tone = Literal["neutral", "info", "success", "warning", "danger", "accent"]


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one theme as ``#rrggbb``, by what they are for."""

    name: ColourName
    dark: bool                  # drawn light on dark

    window: str                 # behind everything
    sidebar: str
    surface: str                # cards, tables, dialogs, inputs
    raised: str                 # menus, toasts, tooltips
    sunken: str                 # wells: table headers, logs, tracks

    border: str                 # hairlines between surfaces
    border_strong: str          # outlines of inputs and secondary buttons: 3:1 against the surface in contrast only
    hover: str
    pressed: str
    selected: str               # the chosen row or entry, under normal text

    text: str
    muted: str                  # second rank; still 4.5:1 on every background above
    faint: str                  # disabled text and placeholders of missing cells

    accent: str                 # the one accent: primary buttons, switches, progress
    accent_hover: str
    accent_pressed: str
    on_accent: str
    accent_text: str            # links, chosen entries, focus ring: readable as text on every surface
    accent_soft: str

    success: str                # as text and as icon, on surfaces and on its own soft background
    success_soft: str
    warning: str
    warning_soft: str
    danger: str
    danger_soft: str
    danger_fill: str            # background of a danger button
    info: str
    info_soft: str

    series: tuple[str, ...]     # curves and bars, told apart under the common colour-blindnesses too
    heat: tuple[str, ...]       # from nothing to most; one hue, lightness falls or rises steadily
    grid: str                   # lines inside plots

    def tone(self, tone: Tone) -> tuple[str, str]:
        """Return (foreground, soft background) of a tone."""
        return {
            "neutral": (self.muted, self.hover),
            "info": (self.info, self.info_soft),
            "success": (self.success, self.success_soft),
            "warning": (self.warning, self.warning_soft),
            "danger": (self.danger, self.danger_soft),
            "accent": (self.accent_text, self.accent_soft),
        }[tone]


LIGHT = Palette(
    name="light", dark=False,
    window="#f6f6f7", sidebar="#efeff1", surface="#ffffff", raised="#ffffff", sunken="#f4f4f6",
    border="#e4e4e8", border_strong="#cfd0d7", hover="#ececef", pressed="#e2e2e7", selected="#e3edfb",
    text="#1c1d21", muted="#5b5e68", faint="#858893",
    accent="#1f66d1", accent_hover="#1a59b9", accent_pressed="#164c9e", on_accent="#ffffff",
    accent_text="#1a5cc2", accent_soft="#e3edfb",
    success="#1a6b3c", success_soft="#e0f3e7", warning="#855000", warning_soft="#fcefd2",
    danger="#b42318", danger_soft="#fde8e6", danger_fill="#c22c20", info="#1a5cc2", info_soft="#e3edfb",
    series=("#1f66d1", "#cf7501", "#036544", "#804da1", "#a27f51", "#189bae", "#515b6a", "#63260e"),
    heat=("#f4f7fc", "#d3e3f8", "#a5c5ef", "#6fa1e2", "#3b7bd0", "#1c59b3", "#123f86"),
    grid="#ececf0",
)

DARK = Palette(
    name="dark", dark=True,
    window="#151619", sidebar="#101114", surface="#1c1d21", raised="#25272c", sunken="#17181b",
    border="#2b2d33", border_strong="#42454e", hover="#282a30", pressed="#31343b", selected="#1e3355",
    text="#ececef", muted="#a3a6b0", faint="#6d707b",
    accent="#2d6fdb", accent_hover="#2767cf", accent_pressed="#205ab8", on_accent="#ffffff",
    accent_text="#86b4ff", accent_soft="#1c2f4e",
    success="#63cf94", success_soft="#16352a", warning="#e9b44c", warning_soft="#3a2d14",
    danger="#ff8d82", danger_soft="#45201f", danger_fill="#c93b30", info="#86b4ff", info_soft="#1c2f4e",
    series=("#6ea6ff", "#e68b31", "#9cdeac", "#aa72b2", "#e9dd7d", "#7ae9fe", "#a7abb1", "#ec4652"),
    heat=("#1e232c", "#1f3352", "#22477c", "#2a60aa", "#4580d0", "#79a8ec", "#b9d4fb"),
    grid="#26282d",
)

CONTRAST = Palette(
    name="contrast", dark=True,
    window="#000000", sidebar="#000000", surface="#000000", raised="#0a0a0a", sunken="#000000",
    border="#9a9a9a", border_strong="#ffffff", hover="#2a2a2a", pressed="#3a3a3a", selected="#003a6b",
    text="#ffffff", muted="#e0e0e0", faint="#b0b0b0",
    accent="#ffd83d", accent_hover="#ffe680", accent_pressed="#e6bf1a", on_accent="#000000",
    accent_text="#ffd83d", accent_soft="#332b00",
    success="#7dffb0", success_soft="#00331a", warning="#ffc34d", warning_soft="#332200",
    danger="#ffa39a", danger_soft="#400a06", danger_fill="#b3160b", info="#8fc7ff", info_soft="#00264d",
    series=("#6ea6ff", "#e68b31", "#9cdeac", "#aa72b2", "#e9dd7d", "#7ae9fe", "#a7abb1", "#ec4652"),
    heat=("#101010", "#10304f", "#104a85", "#1a6abf", "#3f92ee", "#86bfff", "#d8ebff"),
    grid="#3a3a3a",
)

PALETTES: dict[ColourName, Palette] = {"light": LIGHT, "dark": DARK, "contrast": CONTRAST}


TextRole = Literal["caption", "body", "strong", "subtitle", "title", "heading", "display", "mono"]


@dataclass(frozen=True, slots=True)
class Type:
    """One step of the type scale. ``size`` in pixels at 100 %; ``weight`` as in CSS."""

    size: float
    weight: int = 400


TYPE: dict[TextRole, Type] = {
    "caption": Type(12), "body": Type(13), "strong": Type(13, 600), "subtitle": Type(14, 600), "title": Type(16, 600),
    "heading": Type(22, 600), "display": Type(28, 600), "mono": Type(12),
}

# Asked for in this order; the first that is installed is used, then whatever Qt falls back to.
SANS = ("Inter", "Inter Variable", "SF Pro Text", "Segoe UI Variable Text", "Segoe UI", "Ubuntu", "Cantarell",
        "Noto Sans", "Liberation Sans", "DejaVu Sans")
MONO = ("JetBrains Mono", "SF Mono", "Cascadia Mono", "Menlo", "Consolas", "Ubuntu Mono", "Noto Sans Mono",
        "DejaVu Sans Mono", "Liberation Mono")


class Space:
    """Distances in pixels on a 4-px grid."""

    XXS, XS, S, M, L, XL, XXL = 2, 4, 8, 12, 16, 24, 32
    PAGE = 24                   # between a page's edge and what is on it
    CARD = 16                   # inside a card


class Radius:
    """Corners in pixels."""

    SMALL, MEDIUM, LARGE = 4, 6, 8


class Size:
    """Heights and widths in pixels at 100 %; they grow with the text."""

    CONTROL = 32
    CONTROL_SMALL = 26
    ROW = 30                    # of a table
    TABLE_HEADER = 46
    SIDEBAR = 208
    SIDEBAR_COMPACT = 56
    ICON = 16
    ICON_LARGE = 24
    SCALE_LOW, SCALE_HIGH = 0.8, 2.0
