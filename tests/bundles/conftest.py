"""One good bundle, made once, that each test may copy and spoil."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.bundles.making import StoredModel, parts_of, stored_model


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], StoredModel]:
    """Give the model of a kind on a table, fitted once."""
    @cache
    def make(kind: str, name: str) -> StoredModel:
        return stored_model(kind, name, tmp_path_factory.mktemp("model"))

    return make


@pytest.fixture(scope="session")
def model(models: Callable[[str, str], StoredModel]) -> StoredModel:
    """A linear classifier: small files of every kind but safetensors."""
    return models("linear", "binary")


@pytest.fixture(scope="session")
def bundle(model: StoredModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model.bundle(tmp_path_factory.mktemp("bundle") / "good.mlbundle")


@pytest.fixture
def parts(bundle: Path) -> dict[str, bytes]:
    """The good bundle's files."""
    return parts_of(bundle)
