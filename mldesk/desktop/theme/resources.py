"""Where ``resources/`` is: beside the packages in a checkout, in the data folder of an installation otherwise."""

from __future__ import annotations

import sys
import sysconfig
from functools import cache
from pathlib import Path


def candidates() -> tuple[Path, ...]:
    """Return the places looked at, best first: frozen build, checkout, inside the package, the interpreter's data."""
    package = Path(__file__).resolve().parents[2]          # …/mldesk
    places = [package.parent / "resources", package / "resources",
              Path(sysconfig.get_path("data")) / "share" / "mldesk" / "resources"]
    frozen = getattr(sys, "_MEIPASS", None)
    if frozen:
        places.insert(0, Path(frozen) / "resources")
    return tuple(places)


@cache
def resources() -> Path:
    """Return the folder that holds ``icons/``. Raises FileNotFoundError that names the places looked at."""
    for place in candidates():
        if (place / "icons").is_dir():
            return place
    raise FileNotFoundError("MLDesk's resources folder is missing; looked at " + ", ".join(map(str, candidates())))


def resource(*parts: str) -> Path:
    """Return the path of one file under ``resources/``, existing or not."""
    return resources().joinpath(*parts)
