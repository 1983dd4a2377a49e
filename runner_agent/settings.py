"""How this runner is to behave, as people set it: kept in its root, read again by every agent."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mldesk.core import canonical
from mldesk.core.durable import disk_errors, write_atomic
from mldesk.core.errors import BadInput
from mldesk.wire.runner_view import RunnerSettings

if TYPE_CHECKING:  # supervisors read settings too, and do without the link
    from mldesk.wire.link_server import Answer

NAME = "settings.json"
log = logging.getLogger("runner_agent")


def read(root: Path, default: RunnerSettings | None = None) -> tuple[RunnerSettings, bool]:
    """Return the settings kept in a runner's root, and whether it is draining. A damaged file counts as none."""
    try:
        value = json.loads((root / NAME).read_bytes())
        return RunnerSettings.from_json(value["settings"]), value["draining"] is True
    except FileNotFoundError:
        pass
    except (OSError, ValueError, TypeError, KeyError, BadInput) as error:
        log.warning("%s cannot be read, so the runner goes by its defaults: %s", NAME, error)
    return default or RunnerSettings(), False


class SettingsKeeper:
    """The settings in force, and the methods of the protocol that change them."""

    def __init__(self, root: Path, default: RunnerSettings, changed: Callable[[], None]) -> None:
        """``default`` holds until somebody configures the runner; ``changed`` is called after each change."""
        self._root, self._changed = root, changed
        self._lock = threading.Lock()
        self.settings, self.draining = read(root, default)

    def methods(self) -> dict[str, Callable[..., Answer]]:
        return {"settings": self._settings, "configure": self._configure, "drain": self._drain}

    def _settings(self) -> Answer:
        return {"settings": self.settings.to_json(), "zone": zone()}

    def _configure(self, settings: dict[str, object]) -> Answer:
        wanted = RunnerSettings.from_json(settings)
        with self._lock:
            self._keep(wanted, self.draining)
            self.settings = wanted
        self._changed()
        return self._settings()

    def _drain(self, on: bool) -> Answer:
        with self._lock:
            self._keep(self.settings, on)
            self.draining = on
        log.info("the runner %s", "drains: it starts nothing new" if on else "starts jobs again")
        self._changed()
        return {"draining": on}

    def _keep(self, settings: RunnerSettings, draining: bool) -> None:
        with disk_errors("keeping the runner's settings"):
            write_atomic(self._root / NAME, canonical.dumps({"settings": settings.to_json(), "draining": draining}))


def zone(now: float | None = None) -> str:
    """Return the name of the time zone of this machine with its distance from UTC: "KST (UTC+09:00)", or "UTC"."""
    local = time.localtime(now)
    minutes = local.tm_gmtoff // 60
    if local.tm_zone == "UTC":
        return "UTC"
    return f"{local.tm_zone} (UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d})"
