"""Look of the window: tokens, the stylesheet made of them, icons, and the theme in force.

``theme.apply(app, mode)`` dresses the application, ``theme.changed`` tells widgets that paint themselves,
``theme.palette()``, ``theme.font(role)``, ``theme.px(size)`` and ``theme.icon(name, role)`` are what they paint with.
"""

from mldesk.desktop.theme.icons import app_icon
from mldesk.desktop.theme.manager import THEME, Mode, is_theme_event, repolish
from mldesk.desktop.theme.tokens import Palette, Radius, Size, Space, TextRole, Tone

apply = THEME.apply
changed = THEME.changed
palette = THEME.palette
colour = THEME.colour
font = THEME.font
px = THEME.px
icon = THEME.icon

__all__ = [
    "THEME", "Mode", "Palette", "Radius", "Size", "Space", "TextRole", "Tone", "app_icon", "apply", "changed", "colour",
    "font", "icon", "is_theme_event", "palette", "px", "repolish",
]
