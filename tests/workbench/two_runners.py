"""Two real runners on this machine: each an agent with a queue and trainers of its own, over one store of objects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mldesk.app import open_workbench
from mldesk.core.paths import Home
from mldesk.library.records import RunnerRecord
from mldesk.library.secrets import SecretStore
from mldesk.runners import RunnerClient
from mldesk.runners.local import LocalRunner
from mldesk.wire.objects import ObjectStore
from mldesk.workbench.bench import Workbench

OTHER = "other"


class Away(LocalRunner):
    """Its objects are the library's own, by another path."""

    def fetch(self, digest: str, store: ObjectStore) -> None:
        store.path(digest)


@contextmanager
def two_runners(folder: Path) -> Iterator[Workbench]:
    """Open a workbench that knows the runners "local" and OTHER; both are stopped at the end."""
    home, away = folder / "home", Home(folder / "away")
    secrets = SecretStore(home / "vault.json", passphrase=lambda new: "a long passphrase", find_keyring=lambda: None)
    with open_workbench(home, secrets=secrets) as bench:
        away.objects.parent.mkdir(parents=True, exist_ok=True)
        away.objects.symlink_to(bench.home.objects, target_is_directory=True)
        bench.library.runners.add(OTHER, "ssh", "me@other")
        connect = bench.runners._connect

        def reach(record: RunnerRecord) -> RunnerClient:
            return Away(away) if record.name == OTHER else connect(record)

        bench.runners._connect = reach
        try:
            yield bench
        finally:
            for name in ("local", OTHER):
                bench.runners.stop(name)
