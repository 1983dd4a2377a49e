"""What the window itself remembers: theme, text size, geometry. A small file beside the library.

Read before the first paint, so it must not need the database; a damaged or unreadable file means the defaults.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from mldesk.core.durable import write_atomic


@dataclass(frozen=True, slots=True)
class Preferences:
    """Choices of the person at this window."""

    theme: str = "system"        # one of mldesk.desktop.theme.Mode
    text_scale: float = 1.0      # 0.8 to 2.0
    geometry: str = ""           # base64 of QWidget.saveGeometry
    sidebar_compact: bool = False
    curve_smoothing: float = 0.0  # 0 to 1
    curve_log: bool = False
    notify: bool = True          # say when a run has ended while the window is not in front


class PreferencesFile:
    """Keeps ``Preferences`` at ``path``. A write that fails is reported by the return value, never raised."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.value = _read(path)
        self.metrics: tuple[str, ...] = ()   # whose curves were looked at last; until the window closes

    def change(self, **changes: Any) -> bool:
        """Change and keep; False when it could not be kept (the choice holds until the window closes)."""
        changed = replace(self.value, **changes)
        if changed == self.value:
            return True
        self.value = changed
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomic(self._path, json.dumps(asdict(changed), indent=2).encode())
        except OSError:
            return False
        return True


def _read(path: Path) -> Preferences:
    try:
        given = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return Preferences()
    if not isinstance(given, dict):
        return Preferences()
    defaults = asdict(Preferences())
    known = {field.name for field in fields(Preferences)}
    kept = {name: value for name, value in given.items() if name in known and _same_kind(value, defaults[name])}
    return Preferences(**kept)


def _same_kind(value: object, default: object) -> bool:
    if isinstance(default, float):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return type(value) is type(default)
