"""Every file and folder of the shared data through the importer, in a process of its own whose memory is watched.

    python -m tests.data.every_file [--all]

Without ``--all`` the tables that test_shared_tables imports are left out, and of each folder of pictures all but four.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
from pathlib import Path

from tests.data.damaged_files import judge
from tests.data_folder import SHARED

_OF_A_FOLDER = 4  # files that are all of one kind


def places(*, everything: bool) -> list[Path]:
    """Return what is imported: files one by one, and folders."""
    folders = [path for path in sorted(SHARED.rglob("*")) if path.is_dir()]
    files = [path for folder in (SHARED, *folders) for path in _some(folder, None if everything else _OF_A_FOLDER)]
    tables = [SHARED / name for name in ("tabular", "broken", "federated")]
    return folders + [path for path in files if everything or not set(tables) & {*path.parents[:2]}]


def _some(folder: Path, most: int | None) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.is_file()][:most]


def main() -> None:
    """Print what became of each, and the peak of memory in MiB."""
    said = {}
    for path in places(everything="--all" in sys.argv):
        with tempfile.TemporaryDirectory(prefix="mldesk-every-") as folder:
            try:
                said[path.relative_to(SHARED).as_posix()] = judge(path, Path(folder))
            except BaseException as error:  # the test says of which file
                said[path.relative_to(SHARED).as_posix()] = f"! {type(error).__name__}: {error}"
    print(json.dumps({"said": said, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10}))


if __name__ == "__main__":
    main()
