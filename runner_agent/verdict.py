"""What became of a trainer that is gone without having said so itself. Pure: facts in, one event out."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Any

from mldesk.wire.states import Cause

_CRASHES = {getattr(signal, name) for name in ("SIGSEGV", "SIGBUS", "SIGABRT", "SIGILL", "SIGFPE", "SIGSYS")
            if hasattr(signal, name)}
_TAIL_LINES = 15
_PIDS = 20


@dataclass(frozen=True, slots=True)
class Verdict:
    """A terminal event."""

    kind: str
    cause: Cause
    message: str
    hint: str = ""
    resumes: bool = False      # the runner queues it again by itself

    def payload(self) -> dict[str, Any]:
        value = {"cause": self.cause.value, "message": self.message}
        resumes = {"resumes": True} if self.resumes else {}
        return value if self.kind == "cancelled" else {**value, "hint": self.hint, **resumes}


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended. Both None: nobody was there to see it."""

    code: int | None = None
    signal: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about the end of a trainer."""

    exit: Exit
    reboot: bool = False       # the machine has started anew since
    resumes: bool = False      # and this runner goes on by itself then
    oom: bool = False          # the kernel killed something for memory meanwhile
    disk_full: bool = False    # nearly nothing is free where the job lies
    tail: str = ""             # the last of what it printed


CANCELLED = Verdict("cancelled", Cause.CANCELLED, "Cancelled.")
RESUME = "Resume it to go on from its last checkpoint."
MOVED = Verdict("interrupted", Cause.MOVED, "It was released, to go on at another runner.",
                "It goes on there from its last checkpoint; resume it to go on here instead.")

PAUSED = Verdict("interrupted", Cause.PAUSED, "It was paused.", "Resume it to go on where it was.")


def judge(facts: Facts) -> Verdict:
    """Return the terminal event for a trainer that vanished of itself."""
    if facts.reboot:
        hint = "It goes on by itself from its last checkpoint." if facts.resumes else RESUME
        return Verdict("interrupted", Cause.NODE_REBOOT, "The machine restarted while this was running.", hint,
                       facts.resumes)
    if facts.disk_full or "No space left on device" in facts.tail:
        return disk_full()
    number = facts.exit.signal
    if number is None and facts.exit.code is None:
        return Verdict("interrupted", Cause.KILLED_EXTERNAL,
                       "The training process ended while nobody was watching, without saying how.", RESUME)
    if number is None:
        return _failed(facts)
    if number == signal.SIGKILL and facts.oom:
        return Verdict("interrupted", Cause.HOST_OOM, "The system ran out of memory and stopped the training process.",
                       "Close other programs or use less data or a smaller model, then resume it.")
    if number in _CRASHES:
        return Verdict("failed", Cause.INTERNAL, f"The training process crashed ({_name(number)}).", _tail(facts.tail))
    return Verdict("interrupted", Cause.KILLED_EXTERNAL,
                   f"Something outside MLDesk stopped the training process ({_name(number)}).", RESUME)


def disk_full() -> Verdict:
    """The end of a job whose disk is full."""
    return Verdict("interrupted", Cause.DISK_FULL, "The disk is full, so the training stopped; nothing saved is lost.",
                   "Free some space, then resume it.")


def out_of_time(seconds: float) -> Verdict:
    """The end of a job over its time limit."""
    return Verdict("failed", Cause.TIMEOUT, f"It was still running after {seconds:g} seconds, the limit it was given.",
                   "Start it again with a higher limit.")


def out_of_memory(used: int, limit: int) -> Verdict:
    """The end of a job over its memory limit; both in bytes."""
    return Verdict("failed", Cause.HOST_OOM,
                   f"It used {used / 2**20:.0f} MiB of memory; the limit it was given is {limit / 2**20:.0f} MiB.",
                   "Start it again with a higher limit, less data or a smaller model.")


def unkillable(pids: list[int]) -> Verdict:
    """The end of a job whose processes do not die."""
    named = ", ".join(map(str, sorted(pids)[:_PIDS])) + (" and more" if len(pids) > _PIDS else "")
    return Verdict("failed", Cause.UNKILLABLE, f"Processes of this job do not end, even when killed (pid {named}).",
                   "They are stuck in a driver or a network disk; restarting the machine frees it.")


def _failed(facts: Facts) -> Verdict:
    how = "without a result" if facts.exit.code == 0 else f"with exit code {facts.exit.code}"
    return Verdict("failed", Cause.INTERNAL, f"The training process ended {how}.", _tail(facts.tail))


def _tail(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()][-_TAIL_LINES:]
    return "Its last words:\n" + "\n".join(lines) if lines else "It printed nothing."


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
