"""Which files a bundle may hold: plain data of known kinds, under names that mean the same everywhere."""

from __future__ import annotations

import re

from mldesk.core.errors import BadBundle

MANIFEST, SIGNATURE = "manifest.json", "signature.json"
MODEL, PREPROCESSING, GRAPH = "model.json", "preprocessing.json", "model.onnx"
SAMPLE, EXPECTED, CARD = "sample_input.json", "expected.json", "MODEL_CARD.md"
CONTRACT = "contract.json"  # in bundles made since contracts travel, of models whose dataset has one
RECIPE = "recipe.json"      # of models whose table was cleaned by what can be done to new rows
READING = "reading.json"    # of models whose table's import says how cells are read that leave it open
THRESHOLD = "threshold.json"   # of models for which a person set from where on a row is called a class
IGNORED = "Columns the model does not know are ignored"  # so begins what is said of such columns: nothing is wrong
CUT = "Intervals end at"   # so begins what is said of intervals that end where the target does: nothing is wrong
REQUIRED = (MODEL, PREPROCESSING, GRAPH)

_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,60}\.(json|md|txt)")
_NATIVE = re.compile(r"native/[A-Za-z0-9_-]{1,60}\.(json|txt|skops|safetensors|cbm)")
_PICKLES = (".pkl", ".pickle", ".joblib", ".dill", ".pt", ".pth", ".ckpt", ".bin", ".npy", ".npz", ".h5", ".keras")


class NotInIt(BadBundle):
    """A bundle, or a model of the library, is without a file that was asked for."""


def check_name(name: str) -> str:
    """Return ``name`` if a bundle may hold a file of that name. Raises BadBundle with the reason."""
    fault = _fault(name)
    if fault:
        raise BadBundle(f"This bundle holds a file named {name!r:.120}: {fault}.",
                        hint="Do not use it. Ask whoever sent it to export the model again.")
    return name


def _fault(name: str) -> str:
    if "\0" in name:
        return "the name hides something behind a null character"
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        return "it would be written to a fixed place on the disk"
    if "\\" in name:
        return "a backslash means another file on other systems"
    if ".." in name.split("/"):
        return "it would be written outside the bundle"
    if name.endswith("/"):
        return "a folder has no place in a bundle"
    if name.lower().endswith(_PICKLES):
        return "files of that kind can run code when they are opened"
    if name == GRAPH or _PLAIN.fullmatch(name) or _NATIVE.fullmatch(name):
        return ""
    return "no bundle has such a file"


def refuse_twins(names: list[str]) -> None:
    """Raise BadBundle if two names are the same file, exactly or where case does not count."""
    seen: dict[str, str] = {}
    for name in names:
        folded = name.casefold()
        if folded in seen and seen[folded] == name:
            raise BadBundle(f"This bundle holds two files named {name!r:.120}.")
        if folded in seen:
            raise BadBundle(f"This bundle holds {seen[folded]!r:.120} and {name!r:.120}, one file on some systems.")
        seen[folded] = name
