"""A run as a script: one Python file that repeats it without the application.

It holds the code of training that the run needs, the run's settings and which row belongs to which part.
"""

from __future__ import annotations

import base64
import json
import pprint
import textwrap
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mldesk import __version__
from mldesk.core.durable import disk_errors, write_atomic
from mldesk.core.errors import BadInput, NotFound
from mldesk.core.plain_source import plain_source
from mldesk.core.targets import check_target
from mldesk.library import Library
from mldesk.library.records import Run
from mldesk.training.bent import OF_MEDIAN
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.search.fit_parameters import fit_parameters
from mldesk.training.search.timing import affordable_nodes
from mldesk.wire.jobs import SearchRequest, TrainRequest
from mldesk.wire.objects import ObjectMissing

SUFFIX = ".py"
_LIBRARIES = ("numpy", "pyarrow", "sklearn", "lightgbm", "xgboost", "catboost", "torch", "threadpoolctl")
_PACKAGES = {"sklearn": "scikit-learn"}
_WIDTH = 118


def why_no_script(run: Run) -> str:
    """Say why a run cannot be written as a script, as a sentence; "" where it can."""
    if run.result is None:
        return f"Run {run.name} has made no model, so there is nothing to repeat."
    if run.kind == "search":
        return _why_no_blend(run)
    if run.kind != "train" or run.result.get("estimator") not in ESTIMATORS:
        return f"Run {run.name} is a {run.kind}; a script repeats the training of one model."
    if run.spec["payload"].get("warm"):
        return f"Run {run.name} went on from an earlier model, which a script does not hold."
    if (run.result.get("parameters") or {}).get("text_encoder"):
        return f"Run {run.name} read texts with an encoder, whose weights a script does not hold."
    if run.result.get("finished_early"):
        return f"Run {run.name} was finished early by hand, which a script cannot repeat."
    return ""


def _why_no_blend(run: Run) -> str:
    """Say the same of a search, whose blend a script fits again."""
    result = run.result or {}
    if not result.get("members"):
        return f"Run {run.name} has made no model of its own, so there is nothing to repeat."
    asked = SearchRequest.from_json(run.spec["payload"])
    if asked.train.split.method != "random" or result.get("forward"):
        return f"The rows of {run.name} were not dealt at random, which is all that a script of a search can repeat."
    if asked.train.prepare:
        return f"Run {run.name} prepared its columns by steps, which a script of a search does not hold."
    if asked.stack or asked.refit:
        return f"Run {run.name} ended in a stack or in a second fit, which a script of a search does not repeat."
    return ""


def not_repeated(library: Library, run: Run) -> str:
    """Say what ended or changed the fits of a run, but not those of its script: a search's time, a person; else ""."""
    if run.kind == "search":
        return "" if not run.spec["payload"].get("seconds") else (
            "The search had a limit of time, and fits that it cut short go on to their own end in the script: its "
            "scores may differ.")
    entry = ESTIMATORS.get(run.estimator)
    if entry is None or not entry.iterative or run.kind != "train":
        return ""
    said = (str(event.payload.get("text", "")) for event in library.runs.events(run.id) if event.kind == "log")
    changes = sum(text.startswith("The learning rate is ") and text.endswith(", as asked for.")
                  for text in dict.fromkeys(said))   # a resumed run may say one again
    times = "once" if changes == 1 else f"{changes} times"
    return "" if not changes else (f"The learning rate was changed by hand {times} while the run went on, which the "
                                   "script does not repeat: its scores will differ.")


def save_script(library: Library, run: Run, path: Path) -> Path:
    """Write the script that repeats ``run``; return ``path``.

    Raises BadInput for a run that cannot be repeated so or another suffix, NotFound for a missing folder or where the
    split or the model is not here, DiskFull.
    """
    check_target(path)
    if path.suffix.lower() != SUFFIX:
        raise BadInput(f"A script is a file that ends in {SUFFIX}, and {path.name[-60:]!r} does not.",
                       hint=f"Write {path.with_suffix(SUFFIX).name}.")
    if why := why_no_script(run):
        raise BadInput(why, hint=_instead(run))
    with disk_errors("writing the script"):
        write_atomic(path, script(library, run).encode())
    return path


def _instead(run: Run) -> str:
    """Say which run can be written instead."""
    best = (run.result or {}).get("best_trial")
    if run.kind == "search" and best is not None:
        return (f"Train its best trial alone (mldesk runs trial {run.id} {best} --train) and write that run as a "
                "script.")
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
        model, encoder_facts = (json.loads(library.objects.read(files.entry(name).sha256))
                                for name in ("model.json", "preprocessing.json"))
    except (ObjectMissing, KeyError) as error:
        raise NotFound(f"What run {run.name} kept of its split or its model is not here.",
                       hint="Train it again, then write the script.") from error
    names = sorted({str(item["estimator"]) for item in result["members"]}) if searched else [result["estimator"]]
    kinds = {name: ESTIMATORS[name].implementation.split(":") for name in names}
    encoder = ("mldesk.training.prepared", "fit_rows") if request.prepare else ("mldesk.training.again", "fit_plain")
    repeats = [("mldesk.training.search.again", "repeat_blend")] if searched else [
        encoder, ("mldesk.training.again", "repeat")]
    imports, code = plain_source([*repeats, *((module, kind) for module, kind in kinds.values())])
    settings = {**_settings(request, model), **(_blended(run, result, model, encoder_facts) if searched else {
        "parameters": dict(result["parameters"])}), "device": "cpu" if _asked_device(run) == "cpu" else "auto"}
    needed = [_PACKAGES.get(name, name) for name in _LIBRARIES if any(
        line.split()[1].partition(".")[0] == name for line in imports if line)]
    made = ", ".join(f"{name!r}: {kind}()" for name, (_, kind) in kinds.items())
    by_hand = not_repeated(library, run)
    fitting = 'partial(fit_rows, steps=SETTINGS["prepare"])' if request.prepare else "fit_plain"
    return _TEMPLATE.format(
        run=_said(run.name), target=_said(request.target), dataset=_said(request.dataset_name), version=__version__,
        title=f"a blend of {len(result['members'])} trials" if searched else ESTIMATORS[result["estimator"]].title,
        needed=", ".join(needed), by_hand=f"\n\n{textwrap.fill(by_hand, _WIDTH)}" if by_hand else "",
        remark=f"    print({by_hand!r})\n" if by_hand else "",
        imports="\n".join(["import base64", "import sys", "import zlib", "from functools import partial",
                           *(line for line in imports if line not in (
                               "import sys", "from functools import partial"))]),
        settings=pprint.pformat(settings, width=_WIDTH, sort_dicts=False),
        scores=pprint.pformat(dict(result["metrics"]), width=_WIDTH, sort_dicts=False),
        membership=_packed(membership), code=code, call=(
            f"repeat_blend(sys.argv[1], SETTINGS, membership, {{{made}}})" if searched else
            f"repeat(sys.argv[1], SETTINGS, membership, {kinds[names[0]][1]}(), {fitting})"))


def _blended(run: Run, result: Mapping[str, Any], model: Mapping[str, Any],
             encoder: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``search.again.repeat_blend`` takes besides."""
    folds, classes = int(result["folds"]), len(model.get("classes") or [])
    columns = [column for part in encoder.get("parts", [encoder]) for column in part["columns"]]
    quantile, seconds = run.spec["payload"].get("quantile"), float(run.spec["payload"].get("seconds") or 0)
    return {
        "folds": folds, "most_nodes": affordable_nodes(seconds, folds) if seconds else None,
        "median": result["metric"] in OF_MEDIAN,
        "ranked": sorted({str(column["name"]) for column in columns if isinstance(column.get("scale"), Mapping)}),
        "meant": list(dict.fromkeys(str(column["name"]) for column in columns if "means" in column)),
        "members": [{
            "estimator": item["estimator"], "weight": item["weight"], "pipeline": dict(item.get("pipeline") or {}),
            "parameters": fit_parameters(
                item["estimator"], {**item["parameters"], **({} if quantile is None else {"quantile": quantile})},
                item.get("pipeline") or {}, models=folds, last=True, classes=classes)} for item in result["members"]]}


def _settings(request: TrainRequest, model: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``training.again.repeat`` takes, but for the parameters."""
    by_name = {str(column["name"]): str(column["type"]) for column in request.columns}
    chosen = set(by_name if request.features is None else request.features) - {request.target}
    split = request.split
    if split.method == "column" or (split.method == "group" and request.features is None):
        chosen -= {str(split.column)}   # it says how rows were dealt, nothing about what they are
    return {
        "target": [request.target, by_name[request.target]], "classes": list(model.get("classes") or []),
        "columns": [[name, kind] for name, kind in by_name.items() if name in chosen],
        "chosen": request.features is not None, "ordered": bool(request.order), "seed": request.seed,
        **({"prepare": [dict(step) for step in request.prepare]} if request.prepare else {})}


def _asked_device(run: Run) -> str:
    return str((run.spec.get("resources") or {}).get("device", "auto"))


def _packed(membership: bytes) -> str:
    text = base64.b64encode(zlib.compress(membership, 9)).decode()
    return "\n".join(f"    {line!r}" for line in textwrap.wrap(text, _WIDTH - 6))


def _said(text: str) -> str:
    """Return a name as it may stand in the script's own words."""
    return repr(text)[1:-1].replace('"', "'")


_TEMPLATE = '''"""Repeats run {run}: {title}, which predicts {target} of {dataset}. Written by MLDesk {version}.

    mldesk data export {dataset} table.parquet
    python THIS_FILE table.parquet

It needs {needed}, and no MLDesk. The same rows are trained on, chosen by and tested on as in the run, with
the same seed; the scores on the test rows are printed beside those of the run. Other versions of the libraries or
another processor may change their last digits.{by_hand}
"""

from __future__ import annotations

{imports}

SETTINGS = {settings}

# What the run scored on its test rows.
SCORES = {scores}

# The part of every row of the table: 0 training, 1 validation, 2 test, 255 none. One byte each, deflated.
MEMBERSHIP = (
{membership}
)


{code}

def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(f"Usage: python {{sys.argv[0]}} TABLE.parquet")
    membership = np.frombuffer(zlib.decompress(base64.b64decode(MEMBERSHIP)), np.uint8)
    scores = {call}
{remark}    print(f"{{'on the test rows':<32}} {{'here':>22}} {{'in the run':>22}}")
    for name, value in scores.items():
        print(f"{{name:<32}} {{value!r:>22}} {{SCORES.get(name)!r:>22}}")


if __name__ == "__main__":
    main()
'''
