"""A run as a script: one Python file that repeats it without the application.

It holds the code of training that the run needs, the run's settings and which row belongs to which part. Of a run that
went on from an earlier model that model is beside it, as a zip file of its weights.
"""

from __future__ import annotations

import base64
import io
import json
import pprint
import textwrap
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mldesk import __version__
from mldesk.core.durable import disk_errors, write_atomic
from mldesk.core.errors import BadInput, NotFound
from mldesk.core.targets import check_target, loses, would_be_lost
from mldesk.library import Library
from mldesk.library.records import Run
from mldesk.training.catalogue import ESTIMATORS
from mldesk.wire.jobs import TrainRequest
from mldesk.wire.objects import ObjectMissing
from mldesk.workbench.script_parts import ScriptParts, of_search, of_training

SUFFIX = ".py"
_START = ".start.zip"
_ENCODER = "preprocessing.json"
_LIBRARIES = ("numpy", "pyarrow", "sklearn", "lightgbm", "xgboost", "catboost", "torch", "onnx", "onnxruntime",
              "safetensors", "skops", "threadpoolctl")
_PACKAGES = {"sklearn": "scikit-learn"}
_WIDTH = 118
_FORESTS = ("random_forest", "extra_trees")
_OTHERS = {
    "script": "is a script's, whose own files are kept.", "explain": "explains a model that another run trained.",
    "import": "made a table, no model.",
    "imported": "was made elsewhere and brought in: its figures are here, not what made them."}


def why_no_script(run: Run) -> str:
    """Say why a run cannot be written as a script, as a sentence; "" where it can."""
    if run.kind in _OTHERS:
        return f"Run {run.name} {_OTHERS[run.kind]}"
    if run.result is None:
        return f"Run {run.name} has made no model, so there is nothing to repeat."
    if run.kind == "search":
        if not run.result.get("members"):
            return f"Run {run.name} has made no model of its own, so there is nothing to repeat."
        return "" if run.result.get("judged_by") else (
            f"Run {run.name} judged its trials by more folds than a script can say.")
    if run.kind != "train" or run.result.get("estimator") not in ESTIMATORS:
        return f"Run {run.name} is a {run.kind}; a script repeats the training of one model."
    if not run.result.get("model"):
        return f"Run {run.name} kept its scores alone and no model, so there is nothing to repeat."
    if run.result.get("finished_early"):
        return f"Run {run.name} was finished early by hand, which a script cannot repeat."
    return ""


def not_repeated(run: Run) -> str:
    """Say what ended the fits of a search, but not those of its script: its time, a person; else "".

    A search keeps where each fit was cut, so that the script cuts it there; older ones did not. The trees of a forest
    ask whether to end from several threads at once, so how many there were by then is not told.
    """
    members = (run.result or {}).get("members") or ()
    if run.kind != "search" or (members and all(
            item.get("cuts") and not (item["estimator"] in _FORESTS and any(
                (*item["cuts"], item.get("refit_cut", 0)))) for item in members)):
        return ""
    ended = "had a limit of time" if run.spec["payload"].get("seconds") else (
        "was finished by hand" if (run.result or {}).get("finished_early") else "")
    return ended and (f"The search {ended}, and fits that it cut short go on to their own end in the script: its "
                      "scores may differ.")


def beside(run: Run, path: Path) -> Path | None:
    """Return the file that is written beside the script ``path``; None where the script is all."""
    warm = run.kind == "train" and run.spec["payload"].get("warm")
    return path.with_name(path.stem + _START) if warm and path.name else None


def save_script(library: Library, run: Run, path: Path) -> Path:
    """Write the script that repeats ``run``, and what has to be beside it; return ``path``.

    Raises BadInput for a run that cannot be repeated so or another suffix, NotFound for a missing folder or where the
    split or the model is not here, Conflict for a file of another kind where the one beside is to be, DiskFull.
    """
    check_target(path)
    if path.suffix.lower() != SUFFIX:
        raise BadInput(f"A script is a file that ends in {SUFFIX}, and {path.name[-60:]!r} does not.",
                       hint=f"Write {path.with_suffix(SUFFIX).name}.")
    if why := why_no_script(run):
        raise BadInput(why, hint=_instead(run))
    text, other = script(library, run), beside(run, path)
    with disk_errors("writing the script"):
        if other is not None:
            check_target(other)
            if loses(other) and not _is_start(other):
                raise would_be_lost(other)
            write_atomic(other, _start(library, run))
        write_atomic(path, text.encode())
    return path


def _instead(run: Run) -> str:
    """Say which run can be written instead."""
    best = (run.result or {}).get("best_trial")
    if run.kind == "search" and best is not None:
        return (f"Train its best trial alone (mldesk runs trial {run.id} {best} --train) and write that run as a "
                "script.")
    if run.kind == "script":
        return f"Its files: mldesk runs files {run.id}."
    return "Train one model (mldesk train --model …) and write that run as a script."


def script(library: Library, run: Run) -> str:
    """Return the script. Raises NotFound where the split or the model is not here."""
    result: Mapping[str, Any] = run.result or {}
    searched = run.kind == "search"
    payload = run.spec["payload"]
    request = TrainRequest.from_json(payload["train"] if searched else payload)
    try:
        membership = library.objects.read(str(result["split"]))
        files = library.objects.manifest(str(result["model"]))
        model, encoder = (json.loads(library.objects.read(files.entry(name).sha256))
                          for name in ("model.json", _ENCODER))
        if searched:
            membership += library.objects.read(str(result["judged_by"]))
    except (ObjectMissing, KeyError) as error:
        raise NotFound(f"What run {run.name} kept of its split or its model is not here.",
                       hint="Train it again, then write the script.") from error
    parts = of_search(run, request, model, encoder) if searched else of_training(run, request, model)
    title = _made_of(len(result["members"])) if searched else ESTIMATORS[result["estimator"]].title
    return _written(run, request, parts, title, membership)


def _made_of(trials: int) -> str:
    """Say what a search kept: a blend, or one trial alone."""
    return "one trial" if trials == 1 else f"a blend of {trials} trials"


def _written(run: Run, request: TrainRequest, parts: ScriptParts, title: str, membership: bytes) -> str:
    """Return the script's text."""
    loaded = {line.split()[1].partition(".")[0] for line in [*parts.imports, *parts.code.splitlines()]
              if line.strip().startswith(("import ", "from "))}
    loaded |= {name for name in _LIBRARIES if f'import_module("{name}.' in parts.code}
    needed = [_PACKAGES.get(name, name) for name in _LIBRARIES if name in loaded]
    by_hand = not_repeated(run)
    given = ("import base64", "import sys", "import zlib", "from functools import partial")   # os stands above them
    more = f", and THIS_FILE{_START} beside it: the model that the run went on from" if (
        request.warm) else f", and the folder of the text encoder {_said(parts.text_encoder)}" if (
        parts.text_encoder) else ""
    return _TEMPLATE.format(
        run=_said(run.name), target=_said(request.target), dataset=_said(request.dataset_name), version=__version__,
        title=title, needed=textwrap.fill(
            f"It needs {', '.join(needed)}{more}, and no MLDesk. The same rows are trained on, chosen by and tested on "
            "as in the run, with the same seed; the scores on the test rows are printed beside those of the run. Other "
            "versions of the libraries or another processor may change their last digits." + _took(run), _WIDTH),
        by_hand=f"\n\n{textwrap.fill(by_hand, _WIDTH)}" if by_hand else "",
        remark=f"    print({by_hand!r})\n" if by_hand else "",
        imports="\n".join([*given, *(line for line in parts.imports if line not in (*given, "import os"))]),
        settings=pprint.pformat(parts.settings, width=_WIDTH, sort_dicts=False),
        scores=pprint.pformat(dict((run.result or {})["metrics"]), width=_WIDTH, sort_dicts=False),
        more="; then the fold that judges by it, 254 none" if run.kind == "search" else "",
        membership=_packed(membership), code=parts.code, before=parts.before, call=parts.call,
        encoder=" [ENCODER]" if parts.text_encoder else "", count="not in (2, 3)" if parts.text_encoder else "!= 2")


def _took(run: Run) -> str:
    """Say how long what the script repeats took in the run; "" where that is not known."""
    result, threads = run.result or {}, int((run.spec.get("resources") or {}).get("threads") or 0)
    members = result.get("members")
    seconds = [float(item.get("seconds") or 0) for item in members] if run.kind == "search" and members else [
        float(result.get("seconds") or 0)]
    on = f"on {threads} thread{'s' * (threads > 1)}" if threads else "on all cores"
    return f" In the run that took {sum(seconds):,.0f} s {on}." if all(seconds) else ""


def _start(library: Library, run: Run) -> bytes:
    """Return the model that a run went on from as a zip file: its encoder and its weights. Raises NotFound."""
    try:
        files = library.objects.manifest(str(run.spec["payload"]["warm"]))
        held = {entry.path.removeprefix("native/"): library.objects.read(entry.sha256) for entry in files.entries
                if entry.path == _ENCODER or (entry.path.startswith("native/") and entry.path.count("/") == 1)}
    except ObjectMissing as error:
        raise NotFound(f"The model that run {run.name} went on from is not here any more.",
                       hint="Retrain it from the beginning (mldesk models retrain), and write that run.") from error
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(held.items()):
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _is_start(path: Path) -> bool:
    """Say whether a file is one that ``_start`` made."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _ENCODER in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def _packed(membership: bytes) -> str:
    text = base64.b64encode(zlib.compress(membership, 9)).decode()
    return "\n".join(f"    {line!r}" for line in textwrap.wrap(text, _WIDTH - 6))


def _said(text: str) -> str:
    """Return a name as it may stand in the script's own words."""
    return repr(text)[1:-1].replace('"', "'")


_TEMPLATE = '''"""Repeats run {run}: {title}, which predicts {target} of {dataset}. Written by MLDesk {version}.

    mldesk data export {dataset} table.parquet
    python THIS_FILE table.parquet{encoder}

{needed}{by_hand}
"""

from __future__ import annotations

import os

# Threads that wait for one another sleep: spinning, they starve each other on a busy machine. Read as OpenMP is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

{imports}

SETTINGS = {settings}

# What the run scored on its test rows.
SCORES = {scores}

# The part of every row of the table: 0 training, 1 validation, 2 test, 255 none{more}. One byte each, deflated.
MEMBERSHIP = (
{membership}
)


{code}

def main() -> None:
    if len(sys.argv) {count}:
        raise SystemExit(f"Usage: python {{sys.argv[0]}} TABLE.parquet{encoder}")
    membership = np.frombuffer(zlib.decompress(base64.b64decode(MEMBERSHIP)), np.uint8)
{before}    scores = {call}
{remark}    print(f"{{'on the test rows':<32}} {{'here':>22}} {{'in the run':>22}}")
    for name, value in scores.items():
        print(f"{{name:<32}} {{value!r:>22}} {{SCORES.get(name)!r:>22}}")


if __name__ == "__main__":
    main()
'''
