"""The one stylesheet of the window: ``resources/style/window.qss`` filled in from the tokens.

Widgets are told apart by type and by dynamic properties:

``surface`` (window, sidebar, card, raised, sunken) on frames, ``type`` (step of the type scale) and ``tone`` on labels,
``role`` (primary, secondary, ghost, danger, link) and ``small`` on buttons, ``invalid`` on inputs, ``ring`` on what the
keyboard is on.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from string import Template

from mldesk.core.resources import resource
from mldesk.desktop.theme import icons, qss_images
from mldesk.desktop.theme.tokens import TYPE, Palette, Radius, Size, Space

_PICTURES = {"chevron-down": "muted", "chevron-up": "muted", "chevron-right": "muted", "close": "muted",
             "check": "on_accent", "check-text": "text", "minus": "on_accent"}


def register_images(tokens: Palette) -> None:
    """Make the theme's little pictures (arrows, ticks) readable to the stylesheet."""
    qss_images.register(f"mldesk-{tokens.name}", {
        f"{name}.svg": icons.tinted(name.removesuffix("-text"), str(getattr(tokens, colour)))
        for name, colour in _PICTURES.items()})


def build(tokens: Palette, scale: float, mono: Sequence[str]) -> str:
    """Return the stylesheet for ``tokens`` with text at ``scale`` (1.0 = 100 %) and ``mono`` as code font families."""
    def px(size: float) -> str:
        return f"{max(1, round(size * scale))}px"

    values = {name: getattr(tokens, name) for name in Palette.__slots__}
    values.update({f"type_{name}": f"font-size: {px(step.size)}; font-weight: {step.weight};"
                   for name, step in TYPE.items()})
    values.update(
        images=f":/mldesk-{tokens.name}", mono=", ".join(f'"{name}"' for name in mono),
        small=f"{Radius.SMALL}px", medium=f"{Radius.MEDIUM}px", large=f"{Radius.LARGE}px",
        xs=f"{Space.XS}px", s=f"{Space.S}px", m=f"{Space.M}px",
        # Heights are given to the content box: the control's height less two borders.
        control=px(Size.CONTROL - 2), control_ring=px(Size.CONTROL - 4), control_small=px(Size.CONTROL_SMALL - 2),
        control_small_ring=px(Size.CONTROL_SMALL - 4), icon=px(12), tick=px(16), row=px(Size.ROW - 4), pad=px(12),
        pad_small=px(8), thumb=px(9), ring_width="2px", round=f"{round(8 * scale) + 1}px",
        dot=f"{round(16 * scale) - 8}px",
    )
    return _template().substitute(values)


@cache
def _template() -> Template:
    return Template(resource("style", "window.qss").read_text("utf-8"))
