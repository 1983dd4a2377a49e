"""The graphics cards of this machine, asked of the driver's own tool, which a hung driver cannot make us wait for."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import threading
import time
from dataclasses import dataclass

FIRST = 6.0                # seconds the first answer may take before somebody who waits for it goes on
BOOT = 120.0               # seconds after the agent's start in which a driver may not be up yet
_TIMEOUT = 5.0
_AGAIN = 30.0              # seconds before a tool that failed is asked again
_QUERY = ["--query-gpu=index,uuid,name,memory.total", "--format=csv,noheader,nounits"]
_NONE = 6                  # exit code of a tool that says that no devices were found
log = logging.getLogger("runner_agent")


@dataclass(frozen=True, slots=True)
class Card:
    """One graphics card."""

    index: int             # as the driver counts
    uuid: str
    name: str
    memory: int            # bytes


class CardsSilent(Exception):
    """The driver's tool is there and does not say what it should; ``str`` is why."""


def ask() -> tuple[Card, ...]:
    """Return the cards this process may use; none where there is no such tool. Raises CardsSilent."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ()
    try:
        done = subprocess.run([tool, *_QUERY], capture_output=True, text=True, timeout=_TIMEOUT, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        raise CardsSilent(f"nvidia-smi does not answer ({type(error).__name__})") from error
    if done.returncode == _NONE:
        return ()
    if done.returncode:
        words = (done.stdout + done.stderr).strip().splitlines()
        raise CardsSilent(words[0][:200] if words else f"nvidia-smi ended with code {done.returncode}")
    return visible(read(done.stdout), os.environ.get("CUDA_VISIBLE_DEVICES"))


def read(text: str) -> tuple[Card, ...]:
    """Read what the tool printed, leaving out lines that name no card."""
    found = []
    for line in text.splitlines():
        index, _, rest = line.partition(",")
        uuid, _, rest = rest.partition(",")
        name, _, memory = rest.rpartition(",")
        if index.strip().isdigit() and uuid.strip() and memory.strip().isdigit():
            found.append(Card(int(index), uuid.strip(), name.strip(), int(memory) * 2**20))
    return tuple(found)


def visible(cards: tuple[Card, ...], limit: str | None) -> tuple[Card, ...]:
    """Return the cards that CUDA_VISIBLE_DEVICES lets this agent use: all if it is None."""
    if limit is None:
        return cards
    wanted = [word.strip() for word in limit.split(",") if word.strip()]
    return tuple(card for card in cards
                 if any(word == str(card.index) or (not word.isdigit() and card.uuid.startswith(word))
                        for word in wanted))


class CardWatch:
    """What is known of the cards. Asked in a thread of its own; again and again as long as the tool fails."""

    def __init__(self) -> None:
        self.cards: tuple[Card, ...] = ()
        self.trouble = ""                  # what the tool said instead of naming cards
        self._known = threading.Event()
        self._began, self._asked = time.monotonic(), 0.0
        self._thread: threading.Thread | None = None

    @property
    def known(self) -> bool:
        """There was an answer, even if it was a complaint."""
        return self._known.is_set()

    @property
    def settled(self) -> bool:
        """No other answer is to be expected: cards were named, or the machine is up for so long that they would be."""
        return self.known and (not self.trouble or time.monotonic() - self._began > BOOT)

    def look(self) -> None:
        """Ask, or ask again, if that is due. Waits for nothing."""
        now = time.monotonic()
        due = not self.known or (self.trouble and now - self._asked > _AGAIN)
        if due and (self._thread is None or not self._thread.is_alive()):
            self._asked = now
            self._thread = threading.Thread(target=self._ask, name="cards", daemon=True)
            self._thread.start()

    def wait(self, seconds: float = FIRST) -> tuple[Card, ...]:
        """Return the cards, waiting for the first answer."""
        self.look()
        self._known.wait(seconds)
        return self.cards

    def _ask(self) -> None:
        try:
            self.cards, self.trouble = ask(), ""
        except CardsSilent as error:
            if str(error) != self.trouble:
                log.warning("the graphics cards do not answer: %s", error)
            self.trouble = str(error)
        self._known.set()
