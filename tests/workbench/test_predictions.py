"""What a file of predictions may not replace."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mldesk.core.errors import BadInput
from mldesk.library.secrets import SecretStore
from mldesk.workbench.models import ModelService
from mldesk.workbench.predictions import PredictionService
from mldesk.workbench.signing_key import SigningKeys
from tests.workbench.stand_ins import Desk


@pytest.fixture
def service(desk: Desk, tmp_path: Path) -> PredictionService:
    keys = SigningKeys(SecretStore(tmp_path / "vault.json", find_keyring=lambda: None), desk.library.settings)
    return PredictionService(desk.library, ModelService(desk.library, keys))


@pytest.mark.parametrize("way", ["same name", "another name", "symbolic link", "hard link"])
def test_the_input_is_never_overwritten(service: PredictionService, tmp_path: Path, way: str) -> None:
    source, output = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("a\n1\n")
    if way == "same name":
        output = source
    elif way == "another name":
        output = tmp_path / "home" / ".." / "in.csv"
    elif way == "symbolic link":
        output.symlink_to(source)
    else:
        os.link(source, output)
    with pytest.raises(BadInput, match="is the file of rows itself"):
        service.predict("any", source, output)
    assert source.read_text() == "a\n1\n"


def test_the_model_and_a_folder_are_not_overwritten(service: PredictionService, tmp_path: Path) -> None:
    source, bundle, output = tmp_path / "in.csv", tmp_path / "m.mlbundle", tmp_path / "out.csv"
    source.write_text("a\n1\n")
    bundle.write_bytes(b"a bundle")
    output.symlink_to(bundle)
    with pytest.raises(BadInput, match="is the model itself"):
        service.predict(str(bundle), source, output)
    assert bundle.read_bytes() == b"a bundle"
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    with pytest.raises(BadInput, match="is a folder"):
        service.predict("any", source, folder)


def test_an_output_whose_name_says_no_format_is_refused_by_its_name(service: PredictionService, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="written to 'full': its extension says no format"):
        service.predict("any", tmp_path / "in.csv", Path("/dev/full"))
