"""One graph that holds several: it gives the weighted mean of what they give, or what one more makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, compose, helper, load_from_string, numpy_helper

from mldesk.core.errors import WorkFailed
from mldesk.training.bent import Bent
from mldesk.training.export.graph import INPUT, IR_VERSION, LARGEST, OPSET, OPSET_ML, PREDICTION, PROBABILITIES
from mldesk.training.values import Array


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One model of a mixture."""

    graph: bytes      # as ``to_onnx`` gives it
    columns: Array    # of the features that it takes, (F,)
    weight: float
    group: int = 0    # the parts of a group are added up
    bent: Bent | None = None   # how its numbers come back to the target's unit


@dataclass(frozen=True, slots=True)
class Over:
    """The model over the groups' answers, see ``training.blend.second_inputs``."""

    graph: bytes
    shift: float
    scale: float
    least: float      # chance
    start: int        # of the features that it takes besides: [start, stop)
    stop: int


def mix(parts: Sequence[Part], n_features: int, n_classes: int | None, over: Over | None = None) -> bytes:
    """Return the graph of the sum of weight * part(features[:, start:stop]), or of ``over`` of each group's sum.

    Raises WorkFailed for a mixture that is too large for a file of this kind.
    """
    whole = GraphProto(name="mldesk")
    result, width = (PREDICTION, 1) if n_classes is None else (PROBABILITIES, n_classes)
    whole.initializer.append(numpy_helper.from_array(np.array([-1, width], np.int64), "shape"))
    answers: dict[int, list[str]] = {}
    for number, part in enumerate(parts):
        answers.setdefault(part.group, []).append(_weighed(whole, number, part))
    if over is None:
        whole.node.extend([helper.make_node("Sum", [name for names in answers.values() for name in names], ["mean"]),
                           helper.make_node("Cast", ["mean"], [result], to=TensorProto.FLOAT)])
    else:
        _put_over(whole, [names for _, names in sorted(answers.items())], over, n_classes, result)
    whole.input.append(helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["N", n_features]))
    whole.output.append(helper.make_tensor_value_info(result, TensorProto.FLOAT, ["N", width]))
    model = ModelProto(producer_name="mldesk", ir_version=IR_VERSION, graph=whole, opset_import=[
        helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", OPSET_ML)])
    if model.ByteSize() > LARGEST:
        raise WorkFailed("This blend is too large for a portable file.", hint="Search with fewer or smaller models.")
    return bytes(model.SerializeToString())


def _weighed(whole: GraphProto, number: int, part: Part) -> str:
    """Put a part into the graph; return the name of its weighed answer, float64."""
    name = f"mix{number}"
    member = _inside(whole, part.graph, f"m{number}/")
    whole.initializer.extend([numpy_helper.from_array(part.columns.astype(np.int64), f"{name}/columns"),
                              numpy_helper.from_array(np.array(part.weight), f"{name}/weight")])
    whole.node.extend([
        helper.make_node("Gather", [INPUT, f"{name}/columns"], [member.input[0].name], axis=1), *member.node,
        helper.make_node("Cast", [member.output[0].name], [f"{name}/wide"], to=TensorProto.DOUBLE),
        helper.make_node("Reshape", [f"{name}/wide", "shape"], [f"{name}/shaped"])])
    said = f"{name}/shaped" if part.bent is None else _back(whole, f"{name}/shaped", part.bent)
    whole.node.append(helper.make_node("Mul", [said, f"{name}/weight"], [f"{name}/weighed"]))
    return f"{name}/weighed"


def _back(whole: GraphProto, name: str, bent: Bent) -> str:
    """Put what ``Bent.back`` does behind an answer; return the name of what comes of it, float64."""
    constants = {"low": bent.low, "high": bent.high, "times": bent.unit, "plus": bent.added}
    if bent.kind == "log":
        constants |= {"times": bent.factor * bent.unit, "plus": -bent.unit}
    whole.initializer.extend(numpy_helper.from_array(np.array(value), f"{name}/{key}")
                             for key, value in constants.items())
    whole.node.extend([
        helper.make_node("Clip", [name, f"{name}/low", f"{name}/high"], [f"{name}/held"]),
        helper.make_node("Exp", [f"{name}/held"], [f"{name}/grown"]) if bent.kind == "log" else
        helper.make_node("Mul", [f"{name}/held", f"{name}/held"], [f"{name}/grown"]),
        helper.make_node("Mul", [f"{name}/grown", f"{name}/times"], [f"{name}/scaled"]),
        helper.make_node("Add", [f"{name}/scaled", f"{name}/plus"], [f"{name}/back"])])
    return f"{name}/back"


def _inside(whole: GraphProto, graph: bytes, prefix: str) -> GraphProto:
    """Return a graph under names of its own; its constants are in the whole already."""
    member: GraphProto = compose.add_prefix(load_from_string(graph), prefix).graph
    whole.initializer.extend(member.initializer)
    return member


def _put_over(whole: GraphProto, groups: Sequence[Sequence[str]], over: Over, n_classes: int | None,
              result: str) -> None:
    """Put the second level behind the groups' answers."""
    constants = {"shift": np.array(over.shift), "scale": np.array(over.scale), "least": np.array(over.least),
                 "no": np.array([0]), "yes": np.array([1]), "over/columns": np.arange(over.start, over.stop)}
    whole.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    inputs = []
    for number, names in enumerate(groups):
        name = f"group{number}"
        whole.node.append(helper.make_node("Sum", list(names), [f"{name}/sum"]))
        whole.node.extend(_logarithms(name, n_classes) if n_classes else [
            helper.make_node("Sub", [f"{name}/sum", "shift"], [f"{name}/shifted"]),
            helper.make_node("Div", [f"{name}/shifted", "scale"], [f"{name}/told"])])
        inputs.append(f"{name}/told")
    whole.node.extend([helper.make_node("Concat", inputs, ["answers"], axis=1),
                       helper.make_node("Cast", ["answers"], ["over/answers"], to=TensorProto.FLOAT)])
    told = ["over/answers"]
    if over.stop > over.start:
        whole.node.append(helper.make_node("Gather", [INPUT, "over/columns"], ["over/row"], axis=1))
        told.append("over/row")
    second = _inside(whole, over.graph, "s/")
    whole.node.extend([helper.make_node("Concat", told, [second.input[0].name], axis=1), *second.node,
                       helper.make_node("Identity", [second.output[0].name], [result])])


def _logarithms(name: str, n_classes: int) -> list[NodeProto]:
    """Return the nodes from a group's chances to what the second level is told of them."""
    nodes = [helper.make_node("Max", [f"{name}/sum", "least"], [f"{name}/held"])]
    if n_classes > 2:
        return [*nodes, helper.make_node("Log", [f"{name}/held"], [f"{name}/told"])]
    return [*nodes, helper.make_node("Log", [f"{name}/held"], [f"{name}/logs"]),
            helper.make_node("Gather", [f"{name}/logs", "yes"], [f"{name}/for"], axis=1),
            helper.make_node("Gather", [f"{name}/logs", "no"], [f"{name}/against"], axis=1),
            helper.make_node("Sub", [f"{name}/for", f"{name}/against"], [f"{name}/told"])]
