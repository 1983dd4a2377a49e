"""What the window says about an error: the sentence of an MldeskError, or that we failed and where the log is."""

from __future__ import annotations

import logging
import logging.handlers
from pathlib import Path

from mldesk.core.errors import MldeskError

LOGGER = logging.getLogger("mldesk.desktop")


def sentence(error: BaseException) -> str:
    """Return what the user reads about ``error``."""
    if isinstance(error, MldeskError):
        return f"{error.message} {error.advice}".strip()
    if isinstance(error, OSError) and error.strerror:
        name = f" ({error.filename})" if error.filename else ""
        return f"The system says: {error.strerror}{name}."
    return f"Something in MLDesk went wrong ({type(error).__name__}: {str(error)[:160]}). The log has the details."


def note(where: str, error: BaseException) -> None:
    """Write the traceback of an error of ours to the log. Errors of the world are told to the user and not logged."""
    if not isinstance(error, MldeskError):
        LOGGER.error("%s failed", where, exc_info=error)


def start_log(folder: Path) -> logging.Handler:
    """Write the window's log into ``folder``, at most 3 MB of it. Raises OSError. Close the handler at the end."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handler = logging.handlers.RotatingFileHandler(folder / "window.log", maxBytes=1_000_000, backupCount=2,
                                                   encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    LOGGER.addHandler(handler)
    return handler


def stop_log(handler: logging.Handler) -> None:
    """Undo ``start_log``."""
    LOGGER.removeHandler(handler)
    handler.close()
