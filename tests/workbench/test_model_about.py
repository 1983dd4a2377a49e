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
from mldesk.workbench.layers import read_layers
from mldesk.workbench.model_about import AboutService
from mldesk.workbench.models import ModelService
from mldesk.workbench.signing_key import SigningKeys
from tests.bundles.making import stored_model
from tests.workbench.stand_ins import Desk


@pytest.mark.parametrize("kind", ["residual", "tabm", "ft_transformer"])
def test_the_layers_of_a_network_hold_every_number_it_learned(kind: str, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    from mldesk.training.estimators.columns import describe
    from mldesk.training.estimators.network import build

    config: dict[str, Any] = {"kind": kind, "width": 8, "blocks": 2, "dropout": 0.1, "members": 3, "heads": 4,
                              **describe(np.zeros((4, 3), np.float32), [(2, 5)], 2, 4, 8)}
    network = build(config)
    save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, tmp_path / "w")
    with open(tmp_path / "w", "rb") as file:
        found = read_layers(file, config)
    assert found.parameters == sum(parameter.numel() for parameter in network.parameters())
    names = [layer.name for layer in found.layers]
    assert names[0].startswith("inputs.")
    assert names[-1].startswith("last")
    linear = next(layer for layer in found.layers if layer.what == "linear")
    assert linear.takes.startswith("(3, N, " if kind == "tabm" else "(N, ")


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
