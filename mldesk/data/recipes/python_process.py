"""Runs a user's function over a table in a process of its own, held by limits and ended when it breaks them."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from mldesk.data.helper import GIB, guard, helper, kill, last_of
from mldesk.data.stopping import check_stopped


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
            with helper("mldesk.data.recipes.confined", folder, threads=1) as process:
                yield from self._pass(process, rows)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _pass(self, process: subprocess.Popen[bytes], rows: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None  # noqa: S101
        lines: list[bytes] = []
        stderr = process.stderr
        threads = [threading.Thread(target=self._feed, args=(process.stdin, rows), name="python-step-feed"),
                   threading.Thread(target=lambda: lines.append(last_of(stderr)), name="python-step-said"),
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
        # what Python, pandas and Arrow take is far below a GiB
        self._why = guard(process, self._limits.memory + GIB, self._limits.seconds) or self._why

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
    kill(process)
    return running
