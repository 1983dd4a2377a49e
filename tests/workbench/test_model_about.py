"""What a model consists of and came of, read from its files; and its card in a person's words."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mldesk.core.errors import BadInput, LibraryDamaged
from mldesk.library.secrets import SecretStore
from mldesk.workbench.layers import Layers, read_layers
from mldesk.workbench.model_about import AboutService
from mldesk.workbench.models import ModelService
from mldesk.workbench.signing_key import SigningKeys
from tests.bundles.making import stored_model
from tests.workbench.stand_ins import Desk


def _saved(kind: str, folder: Path, numbers: int = 3, embedding: int = 4, outputs: int = 2,
           categories: tuple[tuple[int, int], ...] = ((2, 5),)) -> tuple[Layers, Any]:
    from safetensors.torch import save_file

    from mldesk.training.estimators.columns import describe
    from mldesk.training.estimators.network import build

    config: dict[str, Any] = {"kind": kind, "width": 8, "blocks": 2, "dropout": 0.1, "members": 3, "heads": 4,
                              **describe(np.zeros((4, numbers), np.float32), categories, outputs, embedding, 8)}
    network = build(config).eval()
    save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, folder / "w")
    with open(folder / "w", "rb") as file:
        return read_layers(file, config), network


@pytest.mark.parametrize("kind", ["residual", "tabm", "ft_transformer"])
def test_the_layers_of_a_network_hold_every_number_it_learned(kind: str, tmp_path: Path) -> None:
    found, network = _saved(kind, tmp_path)
    assert found.parameters == sum(parameter.numel() for parameter in network.parameters())
    names = [layer.name for layer in found.layers]
    assert names[0].startswith("inputs.")
    assert names[-1].startswith("last")
    linear = next(layer for layer in found.layers if layer.what == "linear")
    assert linear.takes.startswith("(3, N, " if kind == "tabm" else "(N, ")


@pytest.mark.parametrize(("numbers", "embedding", "outputs", "categories"), [
    (3, 8, 2, ((2, 5),)), (3, 0, 1, ()), (2, 8, 3, ((0, 4), (1, 6)))])
@pytest.mark.parametrize("kind", ["residual", "tabm", "ft_transformer"])
def test_a_networks_graph_has_the_shapes_that_torch_sees(
        kind: str, numbers: int, embedding: int, outputs: int, categories: tuple[tuple[int, int], ...],
        tmp_path: Path) -> None:
    import torch

    found, network = _saved(kind, tmp_path, numbers, embedding, outputs, categories)
    seen: dict[str, tuple[int, ...]] = {}

    def look(name: str, out: object) -> None:
        if isinstance(out, torch.Tensor):
            seen[name] = tuple(out.shape)

    for name, module in network.named_modules():
        module.register_forward_hook(lambda _module, _in, out, name=name: look(name, out))
    network(torch.zeros(7, numbers))
    graph = found.graph
    nodes = {node.name: node for node in graph.nodes}
    assert sum(node.parameters for node in graph.nodes) == found.parameters
    assert all(node.what != "layer" for node in graph.nodes)
    compared = [name for name in nodes if name in seen]
    assert len(compared) >= 2
    for name in compared:
        assert nodes[name].gives == f"({', '.join(map(str, seen[name]))})".replace("7", "N"), name
    place = {name: number for number, name in enumerate(nodes)}
    assert all(place[edge.source] < place[edge.target] and nodes[edge.source].gives == edge.shape and
               nodes[edge.source].depth < nodes[edge.target].depth for edge in graph.edges)
    led = {edge.source for edge in graph.edges}
    assert [node.name for node in graph.nodes if node.name not in led] == ["output"]
    assert nodes["output"].gives == f"(N, {outputs})"
    json.dumps(found.to_json())


@pytest.mark.parametrize("config", [{}, {"kind": "residual"}, {"kind": "tabm", "numeric": 3, "categories": [1]},
                                    {"kind": []}])
def test_a_network_of_another_make_is_a_chain_of_its_layers(config: dict[str, Any], tmp_path: Path) -> None:
    found, _ = _saved("residual", tmp_path)
    with open(tmp_path / "w", "rb") as file:
        odd = read_layers(file, config)
    assert odd.parameters == found.parameters == sum(node.parameters for node in odd.graph.nodes)
    assert len(odd.graph.edges) == len(odd.graph.nodes) - 1


@pytest.mark.parametrize("data", [b"", b"\xff" * 16, struct.pack("<Q", 2) + b"[]", struct.pack("<Q", 9) + b"{"])
def test_a_file_that_holds_no_weights_is_refused(data: bytes) -> None:
    with pytest.raises(LibraryDamaged):
        read_layers(io.BytesIO(data), {})


@pytest.fixture
def about(desk: Desk, tmp_path: Path) -> tuple[AboutService, ModelService]:
    model = stored_model("linear", "binary", tmp_path)
    files = {entry.path: desk.library.objects.put_bytes(model.store.read(entry.sha256))
             for entry in model.store.manifest(model.digest).entries}
    manifest = desk.library.objects.put_manifest(files)
    desk.library.models.add_imported(manifest, {"name": "income", "task": model.task, "estimator": "linear",
                                                "target": "income", "provenance": {"dataset": "theirs@3"}})
    keys = SigningKeys(SecretStore(desk.library.home.vault, find_keyring=lambda: None), desk.library.settings)
    models = ModelService(desk.library, keys)
    return AboutService(desk.library, models), models


def test_a_model_says_what_it_came_of(about: tuple[AboutService, ModelService]) -> None:
    found = about[0].lineage("income")
    assert (found["data"]["version"], found["run"], found["seed"]) == ("theirs@3", None, 0)
    assert found["code"].startswith("MLDesk 0.")
    assert "numpy" in found["environment"]
    assert found["split"]["rows"]["train"] == 200
    json.dumps(found)
    with pytest.raises(BadInput, match="only networks have layers"):
        about[0].layers("income")


def test_a_card_in_a_persons_words_travels_in_the_bundle(about: tuple[AboutService, ModelService],
                                                         tmp_path: Path) -> None:
    service, models = about
    made, edited = service.card("income")
    assert ("How good it is" in made, edited) == (True, False)
    service.set_card("income", "# Mine\n\nFor ‘income’ only.\n")
    assert service.card("income@1") == ("# Mine\n\nFor ‘income’ only.\n", True)
    models.export("income", tmp_path / "income.mlbundle")
    with zipfile.ZipFile(tmp_path / "income.mlbundle") as archive:
        assert archive.read("MODEL_CARD.md").decode() == "# Mine\n\nFor ‘income’ only.\n"
    service.set_card("income", None)
    assert service.card("income") == (made, False)
    for text in ("", " \n", "a\0b"):
        with pytest.raises(BadInput):
            service.set_card("income", text)
