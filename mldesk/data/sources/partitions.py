"""What the folders that a file lies in say of its rows: ``year=2024/month=01/x.parquet``, as Hive and Spark write it.

The names are those of Apache Hive's partitions: signs that file names cannot hold stand there as %2F, and
``__HIVE_DEFAULT_PARTITION__`` for a value that is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from mldesk.data.sources.locations import readable

_MISSING = ("__HIVE_DEFAULT_PARTITION__", "")


@dataclass(frozen=True, slots=True)
class Partitions:
    """What the folders of one file say, beside what those of all files of an import say."""

    own: Mapping[str, str | None]              # column: the value in every row; None: missing
    all: Mapping[str, tuple[str | None, ...]]  # column: the different values, in the order of the files


def pairs_of(path: Path, inside: str = "") -> dict[str, str | None]:
    """Return what the folders around ``path``, and those of the path ``inside`` it, say: column and value.

    Around it only those count that follow one another without any other folder between them and it.
    """
    around: list[str] = []
    for name in reversed(path.absolute().parts if inside else path.absolute().parent.parts):
        if _pair(name) is None:
            break
        around.insert(0, name)
    pairs = [_pair(name) for name in (*around, *PurePosixPath(inside).parent.parts)]
    return dict(pair for pair in pairs if pair is not None)


def partitions_of(pairs: Iterable[Mapping[str, str | None]]) -> list[Partitions]:
    """Return for each file of an import what its folders say."""
    each = list(pairs)
    names = dict.fromkeys(name for own in each for name in own)
    every = {name: tuple(dict.fromkeys(own.get(name) for own in each)) for name in names}
    return [Partitions(own, every) for own in each]


def names_among(paths: Iterable[Path], wanted: Iterable[str]) -> bool:
    """Say whether the folders around files say something that is wanted."""
    asked = set(wanted)
    return any(name in asked for path in paths for name in pairs_of(path))


def _pair(folder: str) -> tuple[str, str | None] | None:
    name, sign, value = folder.partition("=")
    name = readable(unquote(name)).strip()
    if not sign or not name:
        return None
    return name, None if value in _MISSING else readable(unquote(value))
