"""Jobs of the kind "script": a folder with a Python program of the user's runs on a runner.

The program says what it does with ``mldesk.track``: lines of JSON in a file, which the job's process turns into events.
A line is {"kind": "metrics"|"parameters"|"asked_for_all"|"log"|"progress"|"artifact"|"checkpoint", ...}. The job's
result is {"script": manifest digest of the folder, "metrics": the last value of each, "parameters", "never_read": names
of those that the program never asked for, "artifacts": names, "seconds"}.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mldesk.core.errors import BadInput
from mldesk.wire.manifest import check_path, is_digest

KIND = "script"
# What the program finds in its environment; see mldesk.track.
TRACK = "MLDESK_TRACK"              # file to write lines to
PARAMETERS = "MLDESK_PARAMETERS"    # JSON object
INPUTS = "MLDESK_INPUTS"            # JSON object: name -> folder of Parquet files
STATE = "MLDESK_CHECKPOINT"         # folder that is kept from one attempt to the next
STOP = "MLDESK_STOP"                # file that is there once the program shall end by itself
# Artifacts that MLDesk's own jobs make and read again; a file of somebody else's has another name.
OURS = frozenset({"model", "evaluation", "predictions", "out_of_fold", "explanation", "trials", "split", "description"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}")
_LONGEST = 10_000                   # letters of a parameter's value
LARGEST = 10**308                   # of whole numbers; what is larger is no number for most programs
_TOGETHER = 100_000                 # letters of all parameters as JSON; Linux takes 128 KiB as one variable
_MOST = 1000                        # parameters, inputs, requirements


@dataclass(frozen=True, slots=True)
class ScriptRequest:
    """The payload of a "script" job."""

    script: str                                     # manifest digest of the folder
    entry: str                                      # the program in it: "train.py"
    parameters: Mapping[str, Any] = field(default_factory=dict)   # plain values, given as --name value
    inputs: Mapping[str, str] = field(default_factory=dict)       # name -> manifest digest of a table's parts
    datasets: Mapping[str, str] = field(default_factory=dict)     # name -> name@version, for people
    requirements: tuple[str, ...] = ()              # as pip reads them; (): the runner's own environment
    estimator: str = "script"                       # so that lists of runs have something to show

    def to_json(self) -> dict[str, Any]:
        return {"script": self.script, "entry": self.entry, "parameters": dict(self.parameters),
                "inputs": dict(self.inputs), "datasets": dict(self.datasets),
                "requirements": list(self.requirements), "estimator": self.estimator}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ScriptRequest:
        """Read a payload. Raises BadInput for any other shape."""
        try:
            found = cls(str(value["script"]), str(value["entry"]), dict(value["parameters"]), dict(value["inputs"]),
                        dict(value["datasets"]), tuple(map(str, value["requirements"])))
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"This is not a script's request: {error!r:.200}.") from error
        check_path(found.entry)
        if not is_digest(found.script) or not all(is_digest(str(digest)) for digest in found.inputs.values()):
            raise BadInput("This is not a script's request: its files are named by no digest.")
        if not found.entry.endswith(".py"):
            raise BadInput(f"{found.entry[:80]!r} is no Python program.", hint="Name a file that ends in .py.")
        if max(len(found.parameters), len(found.inputs), len(found.requirements)) > _MOST:
            raise BadInput("This script asks for more than a thousand things.")
        for name, item in found.parameters.items():
            check_parameter(name, item)
        if len(json.dumps(found.parameters)) > _TOGETHER:
            raise BadInput("The parameters are too long together to be given to a program.",
                           hint="Put long texts into a file in the script's folder.")
        for name in found.inputs:
            check_name(name)
        return found


def check_name(name: object) -> None:
    """Raise BadInput for what cannot be the name of a parameter or an input."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadInput(f"{name!r:.60} cannot be a parameter or an input.", hint="Use letters, digits, - and _.")


def check_parameter(name: object, value: object) -> None:
    """Raise BadInput for a parameter that is not a number, a text or a truth value."""
    check_name(name)
    if not isinstance(value, (str, int, float, bool)):
        raise BadInput(f"The parameter {name!r:.60} is neither a number nor a text nor true or false.")
    if isinstance(value, str) and "\0" in value:
        raise BadInput(f"The parameter {name!r:.60} holds a zero byte, which no program can be given.")
    if (isinstance(value, int) and abs(value) > LARGEST) or (isinstance(value, str) and len(value) > _LONGEST):
        raise BadInput(f"The parameter {name!r:.60} is too long.",
                       hint=f"A text may have {_LONGEST:,} letters, a whole number {len(str(LARGEST))} digits.")


def file_name(name: str) -> str:
    """Return what a file of a program's is kept as: its name, unless MLDesk would take it for a file of its own."""
    return f"{name} (file)" if name in OURS else name
