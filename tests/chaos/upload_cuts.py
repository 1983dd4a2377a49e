"""Uploads that are cut at random bytes: what arrives is right, and at most a chunk is sent again for each cut.

    python -m tests.chaos.upload_cuts --cuts 200 [--seed S]

Bytes are counted where the line is cut, between the two ends of SSH.
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mldesk.core.errors import LibraryDamaged, MldeskError
from mldesk.wire.manifest import CHUNK
from tests.benchmarks._report import median, percentile
from tests.chaos._far import Far, far_box, hurry, machine, options

# What goes over the line besides the data: SSH's own packets (0.2 % and a little), and a login and a banner each time.
PACKETS, LOGIN = 1.004, 40_000


@dataclass
class Report:
    """What the cuts cost."""

    cuts: int = 0
    uploads: int = 0
    moved: int = 0             # bytes of data
    again: list[float] = field(default_factory=list)  # bytes that went more than once, per cut; of each upload
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (f"{self.cuts} cuts in {self.uploads} uploads of {self.moved / 1e6:.0f} MB in {self.seconds:.0f} s; "
                f"sent again per cut: median {median(self.again) / CHUNK:.2f} chunks, p95 "
                f"{percentile(self.again, 0.95) / CHUNK:.2f}, most {max(self.again) / CHUNK:.2f}; "
                f"wrong: {len(self.wrong)}")


class Uploads:
    """Uploads over one line, one after another."""

    def __init__(self, far: Far, seed: int, chunks: int) -> None:
        self.far, self.random, self.report, self._chunks = far, random.Random(seed), Report(), chunks
        self.cuts = 0

    def run(self, cuts: int) -> Report:
        """Upload until the line was cut so often while something went up."""
        began = time.monotonic()
        while self.report.cuts < cuts and len(self.report.wrong) < 5:
            self._upload()
        self.report.seconds = time.monotonic() - began
        return self.report

    def _upload(self) -> None:
        store, proxy, chance = self.far.person.store, self.far.proxy, self.random
        sizes = [CHUNK * chance.randint(1, self._chunks) + chance.randrange(CHUNK), chance.randrange(CHUNK), 1]
        digest = store.put_manifest({f"part{index}": store.put_bytes(os.urandom(size))
                                     for index, size in enumerate(sizes)})
        with self._runner() as runner:
            proxy.passed, before = 0, proxy.connections
            proxy.budget = chance.randrange(1, sum(sizes))
            try:
                runner.bring(digest)
                proxy.budget = None
                self.far.box.store.verify_manifest(digest)
            except (MldeskError, LibraryDamaged) as error:
                self.report.wrong.append(f"{type(error).__name__}: {error}")
                return
            cuts = proxy.connections - before
            self.report.cuts += cuts
            self.report.uploads += 1
            self.report.moved += sum(sizes)
            again = max(0.0, proxy.passed / PACKETS - sum(sizes) - (cuts + 1) * LOGIN)
            if cuts:
                self.report.again.append(again / cuts)
            if again > cuts * CHUNK:
                self.report.wrong.append(f"{again / CHUNK:.2f} chunks went again after {cuts} cuts")

    @contextlib.contextmanager
    def _runner(self) -> Iterator:  # type: ignore[type-arg]
        runner = self.far.box.runner(self.far.person, self.far.proxy.port)
        try:
            runner.connect()
            yield runner
        finally:
            runner.close()


def run(far: Far, cuts: int, seed: int, chunks: int = 5) -> Report:
    """Cut uploads of up to ``chunks`` chunks in one file, and two small ones."""
    return Uploads(far, seed, chunks).run(cuts)


def main() -> int:
    given = options(__doc__, cuts=200)
    hurry()
    with tempfile.TemporaryDirectory() as name, far_box(Path(name)) as far:
        report = run(far, given.cuts, given.seed)
    print(f"{machine()}: {report}")
    for fault in report.wrong:
        print("WRONG", fault)
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
