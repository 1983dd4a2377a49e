"""The process itself: rows in on standard input, rows out on standard output, one line of JSON on standard error.

The first line that comes in is JSON: {"code", "kinds", "batch", "seconds", "memory", "place"}; Arrow's stream format
follows. What goes out is a stream as well. The last line is {"stayed", "printed", "held"} or {"problem"}.
"""

from __future__ import annotations

import io
import json
import os
import sys
import sysconfig
import warnings
from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import pyarrow as pa

from mldesk.data.helper import limit_memory, lower
from mldesk.data.recipes.confined import hooks, landlock, seccomp
from mldesk.data.recipes.frames import StepProblem, call, load_function

_PRINTED = 2000  # characters that are kept of what the function prints


class _Said(io.StringIO):
    """Keeps the beginning of what is printed."""

    def write(self, text: str) -> int:
        super().write(text[:max(0, _PRINTED - self.tell())])
        return len(text)


def main() -> None:
    """Read, confine, run, write."""
    source, sink = os.fdopen(0, "rb", 1 << 20), os.fdopen(1, "wb", 1 << 20)
    order = json.loads(source.readline())
    _warm_up()
    said = _Said()
    sys.stdout = sys.stderr = said
    warnings.simplefilter("ignore")
    held = confine(order)
    try:
        stayed = _run(order, source, sink)
    except StepProblem as problem:
        _end({"problem": str(problem)})
    except MemoryError:
        _end({"problem": "memory"})
    except pa.ArrowMemoryError:
        _end({"problem": "memory"})
    except BaseException as error:  # noqa: BLE001 - whatever it is, the other side is to know
        _end({"problem": f"its function ended with {type(error).__name__}: {str(error)[:200]}"})
    _end({"stayed": stayed, "printed": said.getvalue(), "held": held})


def confine(order: dict[str, Any]) -> list[str]:
    """Hold this process by all that the system offers; return by what."""
    roots = _roots()
    held = ["limits"] if _limit(int(order["seconds"]), int(order["memory"])) else []
    if sys.platform == "linux":
        held += ["landlock"] if landlock.restrict(roots) else []
        held += ["seccomp"] if seccomp.restrict() else []
    sys.dont_write_bytecode = True
    hooks.install(roots, lambda tried: _end({"tried": tried}))
    return [*held, "hooks"]


def _roots() -> list[str]:
    """Return what may be read: Python and its packages, the system's libraries, time zones."""
    paths = sysconfig.get_paths()
    ours = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    return [*dict.fromkeys([*ours, f"{sys.base_prefix}/lib"]), "/usr/lib", "/lib", "/usr/lib64", "/lib64",
            "/usr/share/zoneinfo", "/etc/ld.so.cache", "/etc/localtime", "/dev/null", "/dev/urandom"]


def _limit(seconds: int, memory: int) -> bool:
    """Limit processor time (s), memory (bytes beyond what is taken now), and the size of files: none may grow."""
    try:
        import resource  # not on Windows
    except ImportError:
        return False
    for kind, most in ((resource.RLIMIT_CPU, seconds + 1), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_NOFILE, 64),
                       (resource.RLIMIT_CORE, 0)):
        lower(kind, most)
    limit_memory(memory)
    return True


def _warm_up() -> None:
    """Have pandas and pyarrow load what they load late, while that is still allowed."""
    table = pa.table({"i": pa.array([1, None]), "n": [0.5, 1.0], "b": pa.array([True, None]), "t": ["a", "b"],
                      "d": pa.array([0, 1], pa.date32()), "m": pa.array([0, 1], pa.timestamp("us")),
                      "h": pa.array([0, 1], pa.time64("us")), "_": [0, 1]})
    call(lambda frame: frame.assign(s=frame["t"].str.upper(), g=frame.groupby("t")["n"].transform("mean"),
                                    c=frame["t"].astype("category"), p=pd.to_datetime("2024-01-01")), table, {})
    np.linalg.norm(np.random.default_rng(0).normal(size=(2, 2)))


def _run(order: dict[str, Any], source: Any, sink: Any) -> bool:
    """Pass all rows through the function; return whether they kept their places."""
    reader = pa.ipc.open_stream(source)
    kinds = {field.name: field.type for field in list(reader.schema)[:-1]}
    function = load_function(order["code"])
    all_stayed, schema, writer = True, None, None
    with sink:
        for rows in _batches(reader, int(order["batch"])):
            made, stayed = call(function, rows, kinds)
            all_stayed = all_stayed and stayed
            if writer is None:
                schema, writer = made.schema, pa.ipc.new_stream(sink, made.schema)
            elif made.schema != schema:
                raise StepProblem("its function gave other columns for later rows than for the first ones")
            writer.write_table(made, max_chunksize=65_536)
        if writer is not None:
            writer.close()
    return all_stayed


def _batches(reader: pa.RecordBatchReader, size: int) -> Iterator[pa.Table]:
    """Give the rows ``size`` at a time, or all of them at once for 0; also once where there are none."""
    if not size:
        yield reader.read_all()
        return
    waiting: list[pa.RecordBatch] = []
    given = False
    for batch in reader:
        waiting.append(batch)
        while sum(item.num_rows for item in waiting) >= size:
            table = pa.Table.from_batches(waiting)
            yield table.slice(0, size)
            given, waiting = True, table.slice(size).to_batches()
    if waiting or not given:
        yield pa.Table.from_batches(waiting, reader.schema)


def _end(said: dict[str, Any]) -> NoReturn:
    os.write(2, json.dumps(said).encode()[:60_000] + b"\n")
    os._exit(0)


if __name__ == "__main__":
    main()
