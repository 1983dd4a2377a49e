"""All of the shared data, large tables and every picture too: ``python -m tests.chaos.every_file``."""

import json
import subprocess
import sys

from tests.data.test_every_file import MOST


def main() -> int:
    """Return 1 if one was neither a table nor a sentence, or took too much memory."""
    done = subprocess.run([sys.executable, "-m", "tests.data.every_file", "--all"], stdout=subprocess.PIPE, check=True)
    found = json.loads(done.stdout)
    faults = {name: said for name, said in found["said"].items() if said.startswith("!")}
    taken = sum(said == "taken" for said in found["said"].values())
    print(f"{len(found['said'])} files and folders: {taken} taken, {len(found['said']) - taken - len(faults)} refused, "
          f"{len(faults)} faults; peak {found['peak']} MiB")
    for name, said in faults.items():
        print(f"fault: {name}: {said}")
    return 1 if faults or found["peak"] > MOST else 0


if __name__ == "__main__":
    sys.exit(main())
