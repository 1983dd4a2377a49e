"""The Python that a script runs on: the runner's own, or one beside it with what the script requires.

Environments are kept by what they hold, so the second run of a script waits for none. One that was cut while it was
made is made anew.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import site
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mldesk.core import canonical
from mldesk.core.errors import WorkFailed
from mldesk.core.filelock import locked

_READY = "ready"     # the file that a whole environment has
_SAID = 600          # letters of pip's own words


class EnvironmentFailed(WorkFailed):
    """What a script requires cannot be had on this runner."""

    code = "env_failed"


def python_with(requirements: Sequence[str], root: Path, check: Callable[[], None]) -> str:
    """Return the interpreter for a script. ``check`` raises when the job has to go.

    Raises EnvironmentFailed with pip's own words.
    """
    if not requirements:
        return sys.executable
    key = hashlib.sha256(canonical.dumps({"requirements": sorted(requirements), "python": sys.version,
                                          "base": sys.prefix})).hexdigest()[:24]
    place = root / key
    root.mkdir(parents=True, exist_ok=True)
    with locked(root / f"{key}.lock"):
        if not (place / _READY).exists():
            shutil.rmtree(place, ignore_errors=True)
            _make(place, requirements, check)
            (place / _READY).touch()
    return str(_python(place))


def _make(place: Path, requirements: Sequence[str], check: Callable[[], None]) -> None:
    _run([sys.executable, "-m", "venv", str(place)], check)
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    inner = Path(subprocess.run([_python(place), "-c", where], capture_output=True, text=True,
                                check=True).stdout.strip())
    # The runner's own packages, torch among them, stand behind those of the environment.
    outer = dict.fromkeys([*site.getsitepackages(), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    (inner / "runner.pth").write_text("\n".join(outer) + "\n", "utf-8")
    first, *others = os.environ.get("MLDESK_PACKAGE_INDEX", "").split() or [""]
    index = {"PIP_INDEX_URL": first, "PIP_EXTRA_INDEX_URL": " ".join(others)} if first else {}
    _run([str(_python(place)), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *requirements],
         check, index)


def _python(place: Path) -> Path:
    return place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _run(command: Sequence[str], check: Callable[[], None], more: Mapping[str, str] | None = None) -> None:
    """Run a step of the making; its output goes to the job's log, its last words into the error."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                          env={**os.environ, **(more or {})}) as child:
        try:
            said = _heard(child, check)
        except BaseException:
            child.kill()
            raise
    sys.stdout.write(said)
    sys.stdout.flush()
    if child.returncode:
        words = " ".join(said.split())[-_SAID:]
        raise EnvironmentFailed(f"The environment of the script could not be made: {words or 'no reason was given'}",
                                hint="Look at the requirements in mldesk.toml; a runner without internet needs "
                                     "an index it can reach (MLDESK_PACKAGE_INDEX).")


def _heard(child: subprocess.Popen[bytes], check: Callable[[], None]) -> str:
    """Return all a child says until it ends, looking all the while whether the job has to go."""
    import selectors

    said = bytearray()
    assert child.stdout is not None  # noqa: S101 - for the type checker: it was asked for
    os.set_blocking(child.stdout.fileno(), False)
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while child.poll() is None:
            check()
            if selector.select(0.2):
                said += child.stdout.read() or b""
                time.sleep(0.01)
    said += child.stdout.read() or b""
    return said.decode("utf-8", "replace")
