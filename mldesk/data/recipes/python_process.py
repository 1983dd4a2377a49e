"""Runs a user's function over a table in a process of its own, held by limits and ended when it breaks them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from mldesk.data.stopping import check_stopped, watch

GIB = 1 << 30
_LOOK = 0.1            # seconds between two looks at time and memory
_TAIL = 128 * 1024    # bytes of what it says that are kept
_START = 30.0          # seconds that Python and pandas may take to start, beyond the limit
_PASSED_ON = ("LD_LIBRARY_PATH", "SYSTEMROOT", "SYSTEMDRIVE")  # what an installed Python may not start without


@dataclass(frozen=True, slots=True)
class Limits:
    """What a function may take."""

    seconds: float     # of wall-clock time, and of processor time
    memory: int        # bytes, beyond what Python and pandas take
    batch: int = 0     # rows per call; 0: all at once


class ProcessProblem(Exception):
    """Why there is no answer, as the end of a sentence: "was stopped after 60 s"."""


class Confined:
    """One run of one function. ``batches`` gives what it makes; afterwards ``said`` holds its last line."""

    def __init__(self, code: str, limits: Limits, scratch: Path) -> None:
        self._code, self._limits, self._scratch = code, limits, scratch
        self._why = ""
        self._broken: BaseException | None = None
        self.said: dict[str, Any] = {}

    def batches(self, rows: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        """Send ``rows`` in, give what comes out. Raises ProcessProblem, ImportCancelled, what reading rows raises."""
        folder = Path(tempfile.mkdtemp(prefix="python-", dir=self._scratch))
        try:
            with self._process(folder) as process:
                watch(_Kill(process))
                yield from self._pass(process, rows)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def _process(self, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
        """Start the process; whatever happens, it is gone afterwards, and its threads here too."""
        process = subprocess.Popen(
            [sys.executable, "-s", "-P", "-B", "-m", "mldesk.data.recipes.confined"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder, env=_environment(folder),
            start_new_session=True)
        try:
            yield process
        finally:
            _kill(process)
            process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                with contextlib.suppress(OSError, ValueError):
                    assert pipe is not None  # noqa: S101 - all three are pipes
                    pipe.close()

    def _pass(self, process: subprocess.Popen[bytes], rows: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None  # noqa: S101
        lines: list[bytes] = []
        stderr = process.stderr
        threads = [threading.Thread(target=self._feed, args=(process.stdin, rows), name="python-step-feed"),
                   threading.Thread(target=lambda: lines.append(_last_of(stderr)), name="python-step-said"),
                   threading.Thread(target=self._guard, args=(process,), name="python-step-guard")]
        for thread in threads:
            thread.start()
        wrong = ""
        try:
            yield from _read(process.stdout, self._limits.memory)
            process.stdout.close()
            process.wait()
        except (pa.ArrowException, OSError, ValueError) as error:  # it ended, or wrote what is no table
            wrong = str(error)
        finally:
            if _finish(process, bool(wrong)) and wrong:
                self._why = self._why or "answer"
            for thread in threads:
                thread.join()
        check_stopped("The recipe")
        if self._broken is not None:
            raise self._broken
        self._judge(process.returncode, b"".join(lines), wrong)

    def _feed(self, sink: IO[bytes], rows: pa.RecordBatchReader) -> None:
        """Write the order and the rows. A function that ends early stops reading; that is not an error of its own."""
        limits = self._limits
        order = {"code": self._code, "batch": limits.batch, "seconds": int(limits.seconds), "memory": limits.memory}
        try:
            sink.write(json.dumps(order).encode() + b"\n")
            with pa.ipc.new_stream(sink, rows.schema) as writer:
                for batch in rows:
                    writer.write_batch(batch)
            sink.close()
        except (BrokenPipeError, ValueError):
            pass
        except Exception as error:  # noqa: BLE001 - of the rows; it is raised where the answer is awaited
            self._broken = error
        finally:
            with contextlib.suppress(OSError, ValueError):
                sink.close()

    def _guard(self, process: subprocess.Popen[bytes]) -> None:
        """Kill the process when its time is over, or when it takes more memory than it may."""
        import psutil  # slow to import, and only needed here

        end = time.monotonic() + self._limits.seconds + _START
        began: float | None = None   # when it was seen to work
        while process.poll() is None:
            with contextlib.suppress(psutil.Error):
                facts = psutil.Process(process.pid)
                used, spent = facts.memory_info().rss, sum(facts.cpu_times()[:2])
                if began is None and spent > 0.3:
                    began = time.monotonic()
                if used > self._limits.memory + GIB:  # what Python, pandas and Arrow take is far below
                    self._why = "memory"
            if self._why or time.monotonic() > min(end, (began or end) + self._limits.seconds):
                self._why = self._why or "time"
                _kill(process)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_LOOK)

    def _judge(self, status: int, said: bytes, wrong: str) -> None:
        """Raise ProcessProblem unless all went well."""
        lines = said.splitlines()
        with contextlib.suppress(ValueError, IndexError):
            found = json.loads(lines[-1])
            self.said = found if isinstance(found, dict) else {}
        memory = f"its function needs more than {self._limits.memory / GIB:g} GiB of memory"
        if self._why == "time" or status == -getattr(signal, "SIGXCPU", 0):
            raise ProcessProblem(f"its function was stopped, as it took longer than {self._limits.seconds:g} s")
        if self._why == "memory" or self.said.get("problem") == "memory":
            raise ProcessProblem(memory)
        if "tried" in self.said:
            raise ProcessProblem(f"its function was stopped, as it tried to {self.said['tried']}, which a recipe's "
                                 "Python may not")
        if "problem" in self.said:
            raise ProcessProblem(str(self.said["problem"])[:500])
        if self._why == "answer":
            raise ProcessProblem("its function gave no table: it wrote something else into its answer")
        if status < 0:
            raise ProcessProblem(f"its function's process was ended by signal {-status}; perhaps memory ran out")
        if wrong or "stayed" not in self.said:
            words = f"its process ended with code {status}" if status else "it wrote something else into its answer"
            raise ProcessProblem(f"its function gave no table: {words}")


class _Kill:
    """What stops a process when the work is stopped."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def interrupt(self) -> None:
        _kill(self._process)


def _last_of(pipe: IO[bytes]) -> bytes:
    """Read a pipe to its end and return the last of it, however much a function writes there."""
    kept = b""
    while piece := pipe.read(_TAIL):
        kept = (kept + piece)[-_TAIL:]
    return kept


class _Measured:
    """A pipe of which no more is read at once than that process may hold, whatever length it says comes next."""

    closed = False

    def __init__(self, pipe: IO[bytes], most: int) -> None:
        self._pipe, self._most = pipe, most

    def read(self, size: int) -> bytes:
        """Raises ValueError for more than that."""
        if size > self._most:
            raise ValueError("a piece that is larger than the memory it may take")
        return self._pipe.read(size)


def _read(pipe: IO[bytes], most: int) -> Iterator[pa.RecordBatch]:
    """Give batches as they come; each is looked through, as nothing that process says is to be trusted."""
    with pa.ipc.open_stream(pa.PythonFile(_Measured(pipe, most), mode="r")) as reader:
        for batch in reader:
            batch.validate(full=True)
            yield batch


def _finish(process: subprocess.Popen[bytes], wrong: bool) -> bool:
    """Let a process that is ending say its last word; end one that is not, and return whether it was one."""
    if wrong:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(2)
    running = process.poll() is None
    _kill(process)
    return running


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError, OSError):
            process.kill()


def _environment(folder: Path) -> dict[str, str]:
    """Return an environment without anything of ours: no secrets, no paths, one thread, the same hashes every time."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    alone = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_THREAD_LIMIT"), "1")
    return {**kept, **alone, "PYTHONHASHSEED": "0", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC",
            "HOME": str(folder), "TMPDIR": str(folder), "MALLOC_ARENA_MAX": "2"}
