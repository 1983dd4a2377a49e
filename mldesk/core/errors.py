"""The error family: everything that goes wrong in the world, never in our code.

``str(error)`` is the sentence the user reads: what happened and why. ``hint`` says what to do next.
A hint names options of the command line in brackets, "leave such rows out (--rejects FILE)"; the window does not show
these.
``code`` is a stable name that scripts may match; ``exit_code`` is what the command line ends with.
"""

from __future__ import annotations

import re
from typing import ClassVar

_OPTIONS = re.compile(r" ?\((?:mldesk |(?:without )?--)(?:[^()]|\([^()]*\))*\)")


class MldeskError(Exception):
    """The world went wrong, not the code. ``str(error)`` is the sentence the user reads."""

    code: ClassVar[str] = "failed"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def advice(self) -> str:
        """Return the hint for those who see no command line."""
        return without_options(self.hint)


def without_options(text: str) -> str:
    """Return what to do next without the options of the command line that stand in brackets."""
    return _OPTIONS.sub("", text)


class WorkFailed(MldeskError):
    """The work was understood and started, and failed."""


class DiskFull(WorkFailed):
    """No space is left where something had to be written; what was there before is whole."""

    code = "disk_full"


class BadInput(MldeskError):
    """What the user gave cannot be used: a file, a recipe, an option, a column."""

    code = "bad_input"
    exit_code = 2


class BadBundle(BadInput):
    """A bundle that must not be opened: damaged, hostile, unsigned where a signature is due, or too new."""

    code = "bad_bundle"


class NotFound(MldeskError):
    """A name or id that the library or runner does not hold."""

    code = "not_found"
    exit_code = 3


class Conflict(BadInput):
    """A name that is taken, or a state that does not allow what was asked."""

    code = "conflict"


class RunnerUnreachable(MldeskError):
    """A runner gives no answer. Says nothing about the jobs on it: they may well go on."""

    code = "runner_unreachable"


class LibraryDamaged(MldeskError):
    """The library's database or one of its objects does not pass its integrity check."""

    code = "library_damaged"


class SecretsLocked(MldeskError):
    """The keyring or vault that holds a secret is locked or missing."""

    code = "secrets_locked"
