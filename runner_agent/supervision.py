"""Watching over one job: from its trainer's first line to the last event of its journal.

One thread, one loop. Everything it must remember lies in the job's folder, so that another supervisor can take its
place at any line: the journal says what was reported up to which spool line, ``processes.json`` who the trainer is,
``commands`` what was asked.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from mldesk.core.durable import write_atomic
from mldesk.core.errors import DiskFull
from mldesk.wire.jobs import JobSpec
from mldesk.wire.journal import JournalWriter
from mldesk.wire.spool import SpoolLine, SpoolReader
from mldesk.wire.states import Cause, JobState
from runner_agent import seat, verdict
from runner_agent.ballast import Ballast, nearly_full, require_space
from runner_agent.folder import JobFolder, Record
from runner_agent.journal_view import JournalView
from runner_agent.ladder import Ladder, Patience, Rung
from runner_agent.priority import restore_priority
from runner_agent.processes import Identity, boot_id, oom_kills, reap_orphans, resident_bytes
from runner_agent.trainer import Held, Trainer, job_line, spawn
from runner_agent.verdict import Exit, Facts, Verdict

_TICK = 0.015              # seconds between looks at the spool while lines come
_IDLE_TICK = 0.05          # and after QUIET seconds without one
_QUIET = 3.0
_CHECK = 0.5               # seconds between looks at limits
_LINGER = 5.0              # seconds a trainer may take to exit after its last line
_CLOCK_STEP = 100_000_000  # nanoseconds
_STARTS = 3                # how often a trainer that never said a word is started for one attempt
_BLOW = 0.2                # seconds of killing before the loop goes on; it comes back to it once the trainer is gone
_REBOOTS = 3               # restarts of the machine in a row after which a job no longer goes on by itself
_LEAVING = {"release": verdict.MOVED, "pause": verdict.PAUSED}   # it is to leave a checkpoint


@dataclass(frozen=True, slots=True)
class Options:
    """What a supervisor is told by its agent."""

    objects: Path
    trainer: tuple[str, ...]       # the command that trains, without its arguments
    patience: Patience = field(default_factory=Patience)


class Supervision:
    """One attempt of one job. The caller holds the folder's claim."""

    def __init__(self, folder: JobFolder, spec: JobSpec, options: Options, view: JournalView) -> None:
        self._folder, self._spec, self._options, self._view = folder, spec, options, view
        self._attempt = view.attempt
        self._ballast = Ballast(folder.path.parent.parent, 0)
        self._full = False
        self._journal = JournalWriter.open(folder.journal, on_full=self._free_space)
        mark = self._journal.last_mark
        done = mark[1] if mark is not None and mark[0] == self._attempt else 0
        self._spool = SpoolReader(folder.spool(self._attempt), done)
        self._backlog: list[SpoolLine] = []   # read, and not in the journal yet
        self._ladder: Ladder | None = None
        self._end: Verdict | None = None      # what a stop under way will be called
        self._seen: set[str] = set(view.commands)
        self._asked = {view.stopping[0]} if view.stopping is not None else set()
        self._commands_changed = -1
        self._checked = self._last_line = time.monotonic()
        self._record: Record | None = None
        self._seat = seat.kept(folder.path, self._attempt)
        self._swept = False                   # the trainer is gone, and so is what it started, but for
        self._left: list[int] = []            # what cannot be killed
        self._stuck = False                   # and so the job was given up

    def run(self, warm: Held | None) -> None:
        """Start the trainer, or adopt the one that is there, and stay until the journal has its terminal event."""
        try:
            trainer = self._adopt() or self._start(warm)
            while trainer is not None:
                try:
                    began = self._watch(trainer)
                finally:
                    trainer.close()
                trainer = None if began else self._start(None)
            if not self._stuck:  # else the agent wants to know when they are gone
                self._folder.forget_record()
            self._folder.control.unlink(missing_ok=True)
        finally:
            if warm is not None:
                warm.abandon()
            self._journal.close()

    # --- getting hold of a trainer

    def _adopt(self) -> Trainer | None:
        """Return the trainer an earlier supervisor started. None when there was none, or it never began."""
        record = self._folder.record()
        if record is None or record.attempt != self._attempt:
            return None
        trainer = Trainer(record.trainer, record.token, child=False)
        self._record = record
        if self._view.stopping is not None:
            asked, when = self._view.stopping
            self._obey(asked, began=time.monotonic() - max(0.0, time.time() - when))
        return trainer

    def _start(self, warm: Held | None) -> Trainer | None:
        """Start the trainer; None when the job ended without one."""
        self._look_for_commands(None)
        if self._end is not None:
            self._finish(self._end)
            return None
        if self._view.state is not JobState.PREPARING:
            self._append("staged", {} if self._seat is None else self._seat.told())
        try:
            require_space(self._folder.path)
            self._folder.control.unlink(missing_ok=True)
            if "finish" in self._asked:
                self._tell("finish")
            held = self._take(warm) or self._spawn()
            starts = 1 + (self._record.starts if self._record is not None else 0)
            self._record = Record(self._attempt, time.time(), starts, _myself(), held.trainer.identity,
                                  held.trainer.token, oom_kills())
            self._folder.keep_record(self._record)
        except DiskFull as error:
            self._finish(Verdict("interrupted", verdict.disk_full().cause, error.message, error.hint))
            return None
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            self._finish(verdict.disk_full())
            return None
        line = job_line(self._folder.path, self._options.objects, self._attempt, self._environment())
        held.release(line if held.warm else b"g")
        return held.trainer

    def _take(self, warm: Held | None) -> Held | None:
        """Return the warm trainer, now printing into this job's log, if there is one and it lives."""
        if warm is None or warm.trainer.poll() is not None:
            return None
        for pid in (warm.trainer.identity.pid, os.getpid()):
            restore_priority(pid)
        os.truncate(warm.output, 0)  # it said that it is ready
        if self._folder.output.exists():
            with open(warm.output, "ab") as log, open(self._folder.output, "rb") as before:
                while block := before.read(1 << 20):
                    log.write(block)
        warm.output.replace(self._folder.output)
        return warm

    def _spawn(self) -> Held:
        command = [*self._options.trainer, str(self._folder.path), "--objects", str(self._options.objects)]
        extra = {"MLDESK_ATTEMPT": str(self._attempt), **self._environment()}
        return spawn(command, self._folder.output, secrets.token_hex(8), extra)

    def _environment(self) -> dict[str, str]:
        """Return which cards the trainer may see; nothing for a job that an older agent began."""
        return {} if self._seat is None else self._seat.environment()

    # --- the loop

    def _watch(self, trainer: Trainer) -> bool:
        """Stay until the journal has its terminal event. False: the trainer never began and is to be started again."""
        self._swept = False
        while True:
            ended = trainer.poll()   # first this, then the spool: nothing is written after the end
            if ended is not None and not self._swept:
                self._left, self._swept = trainer.sweep(self._options.patience.kill), True
            if self._take_lines():
                self._let_go(trainer)
                return True
            self._look_for_commands(trainer)
            if ended is not None and not self._backlog:
                if self._never_began(trainer):
                    return False
                self._finish(self._verdict(ended))
                return True
            self._look_at_limits(trainer)
            if self._climb(trainer):
                return True
            self._journal.sync_if_due()
            reap_orphans(trainer.identity.pid)
            quiet = time.monotonic() - self._last_line > _QUIET
            if ended is not None:  # a full disk keeps its last lines out of the journal
                time.sleep(_CHECK)
            trainer.wait(_IDLE_TICK if quiet else _TICK)

    def _never_began(self, trainer: Trainer) -> bool:
        """Say whether an adopted trainer ended before its first line: its gate closed, or it was killed that early."""
        record = self._record
        return (not trainer.child and self._end is None and record is not None and record.starts < _STARTS
                and record.trainer.boot == boot_id() and not self._folder.spool(self._attempt).exists())

    def _take_lines(self) -> bool:
        """Journal what the trainer wrote since; say whether that was its last word."""
        while True:
            self._backlog = self._backlog or self._spool.read()
            for problem in self._spool.problems:
                self._append("warning", {"text": problem, "hint": ""})
            self._spool.problems.clear()
            if not self._backlog:
                return False
            self._last_line = time.monotonic()
            try:
                if self._journal_lines():
                    return True
                if self._backlog:
                    return False
            except OSError as error:
                self._disk_error(error)
                return False

    def _journal_lines(self) -> bool:
        """Journal the backlog; say whether it held the last word. Leaves that in it while it is not to count yet."""
        done = 0
        try:
            for line in self._backlog:
                kind, payload = line.kind, line.payload
                if line.terminal and self._end is not None:
                    if not self._swept:
                        return False  # it is to stop: its last word counts once all its processes are gone
                    end, self._stuck = self._end, bool(self._left)
                    if self._left:
                        end = verdict.unkillable(self._left)
                    if self._left or kind == "cancelled":
                        kind, payload = end.kind, end.payload()
                self._journal.append(kind, payload, time=line.time, mark=(self._attempt, line.n))
                done += 1
                if line.terminal:
                    return True
        finally:
            del self._backlog[:done]
        return False

    def _let_go(self, trainer: Trainer) -> None:
        """The journal has the terminal event: the trainer gets a moment to exit, what stays is killed."""
        trainer.wait(_LINGER)
        trainer.sweep()
        trainer.wait(_LINGER)

    # --- what was asked

    def _look_for_commands(self, trainer: Trainer | None) -> None:
        changed = self._folder.commands.stat().st_mtime_ns  # before the listing: what comes later is seen next time
        if changed == self._commands_changed and trainer is not None:
            return
        for command in self._folder.commands_of(self._attempt):
            if command.id in self._seen:
                continue
            if command.asked == "cancel" or (self._ladder is None and (trainer is not None
                                                                       or command.asked in _LEAVING)):
                self._append("stopping", {"asked": command.asked, "command": command.id})  # before it is acted on
                self._obey(command.asked, began=time.monotonic())
                self._seen.add(command.id)
            elif trainer is not None:
                self._seen.add(command.id)  # another wish during a cancel
        # Two changes may share one reading of the file system's clock, so a fresh one is not trusted yet.
        self._commands_changed = changed if time.time_ns() - changed > _CLOCK_STEP else -1

    def _obey(self, asked: str, *, began: float) -> None:
        self._asked.add(asked)
        if asked == "finish":
            self._tell("finish")
        elif asked in _LEAVING:
            self._stop(_LEAVING[asked], began)
        elif self._end is None or self._end in _LEAVING.values():
            self._end = None  # who released it thought better of it
            self._stop(verdict.CANCELLED, began)

    def _stop(self, end: Verdict, began: float | None = None) -> None:
        """Begin to end the trainer, as ``end``, unless that is under way."""
        if self._end is None:
            self._end = end
            self._ladder = Ladder(time.monotonic() if began is None else began, self._options.patience,
                                  leaving=end in _LEAVING.values())

    def _climb(self, trainer: Trainer) -> bool:
        """Take the next rung if it is due; say whether the job was given up."""
        while self._ladder is not None and (rung := self._ladder.step(time.monotonic())) is not None:
            if rung is Rung.ASK:
                self._tell("cancel")
            elif rung is Rung.TERMINATE:
                trainer.signal(signal.SIGTERM)
            elif rung is Rung.KILL:
                trainer.sweep(_BLOW)
            elif trainer.wait(0) is None:
                self._finish(verdict.unkillable(trainer.others() or [trainer.identity.pid]))
                return True
        return False

    def _tell(self, word: str) -> None:
        # On a full disk there may be no room for this word; the rungs above do without it.
        with contextlib.suppress(OSError):
            write_atomic(self._folder.control, word.encode())

    # --- limits

    def _look_at_limits(self, trainer: Trainer) -> None:
        now = time.monotonic()
        if self._full and self._end is None:
            self._stop(verdict.disk_full())
        if now - self._checked < _CHECK or self._record is None or self._end is not None:
            return
        self._checked = now
        limits = self._spec.limits
        if limits.seconds and time.time() - self._record.began > limits.seconds:
            self._stop(verdict.out_of_time(limits.seconds))
        elif limits.memory and (used := resident_bytes(trainer.identity.pid)) > limits.memory:
            self._stop(verdict.out_of_memory(used, limits.memory))

    # --- the end

    def _verdict(self, ended: Exit) -> Verdict:
        if self._end is not None:
            return verdict.unkillable(self._left) if self._left else self._end
        if self._left:  # it ended by itself, so that is what counts
            self._append("warning", {"text": verdict.unkillable(self._left).message, "hint": ""})
        record = self._record
        before, now = record.oom if record else None, oom_kills()
        reboot = record is not None and record.trainer.boot != boot_id()
        return verdict.judge(Facts(
            ended, reboot=reboot, resumes=reboot and self._resumes(),
            oom=before is not None and now is not None and now > before,
            disk_full=self._full or nearly_full(self._folder.path), tail=self._folder.tail()))

    def _resumes(self) -> bool:
        """Say whether a job cut by a restart goes on by itself: not if it may be what restarts the machine."""
        from runner_agent.settings import read  # what it loads would cost every start, and few ever get here

        settings, _ = read(self._folder.path.parent.parent)
        return settings.on_reboot == "resume" and self._view.reboots < _REBOOTS

    def _finish(self, end: Verdict) -> None:
        """Write the terminal event, waiting for room on the disk as long as it takes."""
        self._stuck = end.cause is Cause.UNKILLABLE
        self._append(end.kind, end.payload())

    def _append(self, kind: str, payload: dict[str, object]) -> None:
        while True:
            try:
                self._journal.append(kind, payload)
                return
            except OSError as error:
                self._disk_error(error)
                time.sleep(1.0)

    def _disk_error(self, error: OSError) -> None:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise error
        self._full = True

    def _free_space(self) -> bool:
        self._full = True
        return self._ballast.release()


def _myself() -> Identity:
    return Identity.of(os.getpid()) or Identity(os.getpid(), "", boot_id())
