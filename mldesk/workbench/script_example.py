"""A script to begin with: a folder with a program that shows what ``mldesk.track`` can do, and its mldesk.toml."""

from __future__ import annotations

from pathlib import Path

from mldesk.core.durable import replacing
from mldesk.core.errors import BadInput

_PROGRAM = '''\
"""Fits a line to points by gradient descent, and says how it goes."""

import random

from mldesk import track

rate = track.parameter("rate", 0.1)      # as mldesk.toml declares it, or what the run was given
steps = track.parameter("steps", 100)

draw = random.Random(0)
points = [(x, 3 * x + 1 + draw.gauss(0, 0.1)) for x in (draw.random() for _ in range(200))]
slope = offset = 0.0
for step in range(1, steps + 1):
    misses = [(slope * x + offset - y, x) for x, y in points]
    slope -= rate * sum(miss * x for miss, x in misses) / len(points)
    offset -= rate * sum(miss for miss, _ in misses) / len(points)
    track.metrics(step, loss=sum(miss * miss for miss, _ in misses) / len(points))   # drawn as the run goes
    if track.should_stop():              # somebody pressed Finish now
        break
print(f"y = {slope:.2f} x + {offset:.2f}")   # kept in the run's log
with open("line.txt", "w", encoding="utf-8") as file:
    file.write(f"{slope} {offset}\\n")
track.artifact("line", "line.txt")       # kept with the run
'''
_SETTINGS = '''\
entry = "train.py"

# requirements = ["numpy"]    # packages, in an environment of its own; or "requirements.txt"

[parameters]
rate = {default = 0.1, min = 0.0, max = 1.0, help = "how far a step goes"}
steps = 100

# [inputs]                    # datasets that it reads, by mldesk.track.input("table")
# table = "NAME"
'''


def write_example(folder: Path) -> Path:
    """Write the example into a folder that is empty or not there yet, and return it. Raises BadInput, OSError."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput(f"There is something in {str(folder)!r:.200} already.",
                       hint="Name a folder that is not there yet; it is made.")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("train.py", _PROGRAM), ("mldesk.toml", _SETTINGS)):
        with replacing(folder / name) as file:
            file.write(text.encode("utf-8"))
    return folder
