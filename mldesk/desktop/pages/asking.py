"""What dialogs that ask a runner for something do alike: busy, asked in a thread, refused in the dialog, or done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from mldesk.core.errors import MldeskError
from mldesk.desktop.errors import sentence
from mldesk.desktop.shell import Shell
from mldesk.desktop.tasks import in_remote
from mldesk.desktop.widgets import Sheet

Answer = TypeVar("Answer")


async def asked(sheet: Sheet, shell: Shell, busy: str, work: Callable[[], Answer]) -> Answer | None:
    """Do ``work``, then close the dialog and return the answer.

    None where it was refused: the dialog says why, and stays.
    """
    sheet.set_error("")
    sheet.set_busy(busy)
    shell.allow_questions()
    try:
        answer = await in_remote(work)
    except (MldeskError, OSError) as error:
        sheet.set_error(sentence(error))
        return None
    finally:
        sheet.set_busy("")
    shell.desk.nudge()
    sheet.accept()
    return answer
