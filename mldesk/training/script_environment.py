"""The Python that a script runs on: the runner's own, or one beside it with what the script requires.

Environments are kept by what they hold, so the second run of a script waits for none. One that was cut while it was
made is made anew; one that no script has run on for a month is removed when another is made.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import site
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from mldesk.core import canonical
from mldesk.core.filelock import acquire, release
from mldesk.training.script_pip import WHEELS, install, ran
from mldesk.wire.report import Report

_READY = "ready"     # the file that a whole environment has; its time is that of the last use
_UNUSED = 30 * 24 * 3600   # seconds after which it is let go
_LOOK = 0.2          # seconds between two looks at whether another job has made it


class Environments:
    """The environments of a runner, in the folder ``root``. ``check`` raises when the job has to go.

    The one a script runs on is held until this process ends, so that none goes while it is in use.
    """

    def __init__(self, root: Path, report: Report, check: Callable[[], None]) -> None:
        self._root, self._report, self._check = root, report, check
        self._held: list[int] = []

    def python(self, requirements: Sequence[str], folder: Path) -> str:
        """Return the interpreter for the script in ``folder``, which may have wheels of its own.

        Raises EnvironmentFailed, which says what pip said.
        """
        if not requirements:
            return sys.executable
        self._report.stage("Preparing the environment")
        key = _key(requirements, folder)
        place, lock = self._root / key, self._open(key)
        self._wait(lock, shared=True)
        while not (place / _READY).exists():
            release(lock)   # what is shared cannot become one's own without letting go
            self._wait(lock, shared=False)
            if not (place / _READY).exists():
                self._sweep()
                self._make(place, requirements, folder)
            release(lock)
            self._wait(lock, shared=True)
        with suppress(OSError):
            os.utime(place / _READY)
        return str(_python(place))

    def close(self) -> None:
        """Let go of the environment in use."""
        while self._held:
            os.close(self._held.pop())

    def _open(self, key: str) -> int:
        self._root.mkdir(parents=True, exist_ok=True)
        self._held.append(os.open(self._root / f"{key}.lock",
                                  os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600))
        return self._held[-1]

    def _wait(self, lock: int, *, shared: bool) -> None:
        told = False
        while not acquire(lock, shared=shared, wait=False):
            if not told:
                self._report.stage("Preparing the environment: another run makes it")
                told = True
            self._check()
            time.sleep(_LOOK)

    def _make(self, place: Path, requirements: Sequence[str], folder: Path) -> None:
        shutil.rmtree(place, ignore_errors=True)
        try:
            pip = [sys.executable, "-m", "pip", "--python", str(_python(place))]
            if importlib.util.find_spec("pip") is None:   # then one of its own, which takes a while
                pip = [str(_python(place)), "-m", "pip"]
            more = ["--without-pip"] if pip[0] == sys.executable else []
            ran([sys.executable, "-m", "venv", *more, str(place)], self._check)
            _put_behind(place)
            install(pip, requirements, folder, self._report, self._check)
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        (place / _READY).touch()

    def _sweep(self) -> None:
        """Remove what nobody has used for long, and nobody uses now."""
        for ready in self._root.glob(f"*/{_READY}"):
            with suppress(OSError):
                if time.time() - ready.stat().st_mtime < _UNUSED:
                    continue
                lock = os.open(self._root / f"{ready.parent.name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
                try:
                    if acquire(lock, wait=False):
                        ready.unlink()
                        shutil.rmtree(ready.parent, ignore_errors=True)
                finally:
                    os.close(lock)


def _key(requirements: Sequence[str], folder: Path) -> str:
    """Return what an environment is kept by: the requirements, and the content of files among them."""
    files = [path for path in (folder / line for line in requirements) if path.is_file()]
    files += sorted((folder / WHEELS).glob("*.whl"))
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    return hashlib.sha256(canonical.dumps({"requirements": sorted(requirements), "python": sys.version,
                                           "base": sys.prefix, "files": digests})).hexdigest()[:24]


def _put_behind(place: Path) -> None:
    """Let the runner's own packages, torch among them, stand behind those of the environment."""
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    inner = Path(subprocess.run([_python(place), "-c", where], capture_output=True, text=True,
                                check=True).stdout.strip())
    outer = dict.fromkeys([*site.getsitepackages(), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    (inner / "runner.pth").write_text("\n".join(outer) + "\n", "utf-8")


def _python(place: Path) -> Path:
    return place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
