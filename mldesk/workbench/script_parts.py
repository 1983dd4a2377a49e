"""What a script that repeats a run is put together of: the code it needs, the settings, how it is called.

``run_script`` writes them down. Knows no files of the user's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mldesk.core.plain_source import plain_source
from mldesk.library.records import Run
from mldesk.training.bent import OF_MEDIAN
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.search.fit_parameters import SECOND, fit_parameters, second_parameters
from mldesk.training.search.timing import affordable_nodes
from mldesk.wire.jobs import TrainRequest

Wanted = tuple[str, str]   # module, name
_AGAIN, _SEARCH, _NATIVE = "mldesk.training.again", "mldesk.training.search.again", "mldesk.training.export.native"
_TEXT = "mldesk.training.again_text"
_PLAIN, _STEPS = ((_AGAIN, "fit_plain"), "fit_plain"), (
    ("mldesk.training.prepared", "fit_rows"), 'partial(fit_rows, steps=SETTINGS["prepare"])')
# How a model that was gone on from is read; networks are built first.
_LOADS = {"lightgbm": "load_lightgbm", "xgboost": "load_xgboost", "hist_gradient_boosting": "load_sklearn"}


@dataclass(frozen=True, slots=True)
class ScriptParts:
    """What a script holds beside the words around it."""

    imports: list[str]           # statements
    code: str
    settings: Mapping[str, Any]
    call: str                    # an expression: the scores, of ``membership`` and SETTINGS
    before: str = ""             # a statement ahead of that, with its line's end
    text_encoder: str = ""       # that texts are read with


def of_training(run: Run, request: TrainRequest, model: Mapping[str, Any]) -> ScriptParts:
    """Return those of a run that trained one model. ``model``: its ``model.json``."""
    result = run.result or {}
    name = str(result["estimator"])
    wanted, kind = _estimator(name)
    learn, fitting = _STEPS if request.prepare else _PLAIN
    before, start = "", ""
    needed: list[Wanted] = [(_AGAIN, "repeat"), wanted]
    if request.warm:
        load = _LOADS.get(name, "load_network")
        needed += [(_AGAIN, "Earlier"), (_NATIVE, load)]
        if load == "load_network":
            needed.append(("mldesk.training.estimators.network", "build"))
            load = "partial(load_network, build=build)"
        before = f'    earlier = Earlier(Path(__file__).with_suffix(".start.zip"), {load})\n'
        fitting, start = "earlier.fit_rows", ", earlier.native"
    else:
        needed.insert(0, learn)
    if name_of := result["parameters"].get("text_encoder"):
        needed.append((_TEXT, "Reading"))
        before = f"    reading = Reading({fitting}, sys.argv[2] if len(sys.argv) > 2 else {str(name_of)!r})\n"
        fitting = "reading.fit_rows"
    changes = (model.get("facts") or {}).get("rates")
    settings = {**_settings(run, request, model), "parameters": dict(result["parameters"]),
                **({"rates": changes} if changes else {})}
    return ScriptParts(*plain_source(needed, reads=bool(request.warm or name_of)), settings,
                       f"repeat(sys.argv[1], SETTINGS, membership, {kind}(), {fitting}{start})", before,
                       text_encoder=str(name_of or ""))


def of_search(run: Run, request: TrainRequest, model: Mapping[str, Any], encoder: Mapping[str, Any]) -> ScriptParts:
    """Return those of a search. ``encoder``: its ``preprocessing.json``."""
    result = run.result or {}
    second = (model.get("facts") or {}).get("second")
    names = sorted({str(item["estimator"]) for item in result["members"]} | ({SECOND} if second else set()))
    kinds = {name: _estimator(name) for name in names}
    learn, fitting = _STEPS if request.prepare else _PLAIN
    made = ", ".join(f"{name!r}: {kind}()" for name, (_, kind) in kinds.items())
    settings = {**_settings(run, request, model), **_blended(run, result, model, encoder)}
    return ScriptParts(*plain_source([learn, (_SEARCH, "repeat_blend"), *(wanted for wanted, _ in kinds.values())]),
                       settings, f"repeat_blend(sys.argv[1], SETTINGS, membership.reshape(2, -1), {{{made}}}, "
                       f"{fitting})")


def _estimator(name: str) -> tuple[Wanted, str]:
    module, kind = ESTIMATORS[name].implementation.split(":")
    return (module, kind), kind


def _blended(run: Run, result: Mapping[str, Any], model: Mapping[str, Any],
             encoder: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``search.again.repeat_blend`` takes besides."""
    folds, classes, forward = int(result["folds"]), len(model.get("classes") or []), bool(result.get("forward"))
    columns = [column for part in encoder.get("parts", [encoder]) for column in part.get("columns", ())]
    asked_of = run.spec["payload"]
    given, seconds, models = asked_of.get("quantile"), float(asked_of.get("seconds") or 0), 1 if forward else folds
    quantile = {} if given is None else {"quantile": given}
    second = (model.get("facts") or {}).get("second")

    def of_member(item: Mapping[str, Any]) -> dict[str, Any]:
        pipeline, asked = item.get("pipeline") or {}, {**item["parameters"], **quantile}

        def parameters(models: int, *, last: bool) -> dict[str, Any]:
            return fit_parameters(item["estimator"], asked, pipeline, models=models, last=last, classes=classes)

        return {"estimator": item["estimator"], "weight": item["weight"], "pipeline": dict(pipeline),
                "cuts": list(item.get("cuts", ())),
                "parameters": [parameters(models, last=fold == folds - 1) for fold in range(folds)],
                **({"refit": parameters(1, last=True), "refit_cut": int(item.get("refit_cut", 0))}
                   if item.get("refitted") else {})}

    return {
        "forward": forward,
        "most_nodes": affordable_nodes(seconds, 1 if asked_of.get("refit") else models) if seconds else None,
        "median": result["metric"] in OF_MEDIAN,
        "ranked": sorted({str(column["name"]) for column in columns if isinstance(column.get("scale"), Mapping)}),
        "meant": list(dict.fromkeys(str(column["name"]) for column in columns if "means" in column)),
        "members": [of_member(item) for item in result["members"]],
        **({"second": {"estimator": SECOND, "columns": second["columns"], "parameters": second_parameters(classes)}}
           if second else {})}


def _settings(run: Run, request: TrainRequest, model: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``training.again.repeat`` takes, but for the parameters."""
    by_name = {str(column["name"]): str(column["type"]) for column in request.columns}
    chosen = set(by_name if request.features is None else request.features) - {request.target}
    split = request.split
    if split.method == "column" or (split.method == "group" and request.features is None):
        chosen -= {str(split.column)}   # it says how rows were dealt, nothing about what they are
    device = str((run.spec.get("resources") or {}).get("device", "auto"))
    return {
        "target": [request.target, by_name[request.target]], "classes": list(model.get("classes") or []),
        "columns": [[name, kind] for name, kind in by_name.items() if name in chosen],
        "chosen": request.features is not None, "ordered": bool(request.order), "seed": request.seed,
        "device": "cpu" if device == "cpu" else "auto",
        "threads": int((run.spec.get("resources") or {}).get("threads") or 0),
        **({"prepare": [dict(step) for step in request.prepare]} if request.prepare and not request.warm else {})}
