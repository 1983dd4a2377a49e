"""How long short commands take, in turn with a bare interpreter and with ``import sqlalchemy``; whole processes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

from tests.benchmarks._report import median, report

ROUNDS = 15
BARE, SQL = "python -c ''", "python -c 'import sqlalchemy'"
COMMANDS = {
    BARE: ["-c", ""],
    SQL: ["-c", "import sqlalchemy"],
    "mldesk --version": ["-m", "mldesk", "--version"],
    "mldesk runs list": ["-m", "mldesk", "runs", "list"],
    "mldesk runs list --json": ["-m", "mldesk", "runs", "list", "--json"],
}


def main() -> None:
    """Print the medians and the ratios of pairs measured side by side."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "MLDESK_HOME": home}
        for turn in range(ROUNDS + 1):
            for name, arguments in COMMANDS.items():
                started = time.perf_counter()
                subprocess.run([sys.executable, *arguments], env=environment, check=True, stdout=subprocess.DEVNULL)
                if turn:  # the first round makes the library and warms the page cache
                    times[name].append(time.perf_counter() - started)
    rows = [(name, median(taken) * 1000, "ms") for name, taken in times.items()]
    for name, base in (("mldesk --version", BARE), ("mldesk runs list", SQL), ("mldesk runs list --json", SQL)):
        ratios = [ours / theirs for ours, theirs in zip(times[name], times[base], strict=True)]
        rows.append((f"{name} / {base}", median(ratios), "×"))
    report("cli_start", rows)


if __name__ == "__main__":
    main()
