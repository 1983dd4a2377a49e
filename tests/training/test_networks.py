"""The torch networks: what their parts promise, and a loss that runs out of bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from mldesk.bundles.wire_scan import check_graph
from mldesk.training.estimators import torch_fit
from mldesk.training.estimators.columns import NumberEmbedding, describe
from mldesk.training.estimators.network import build
from mldesk.training.export import network as export
from tests.training.jobs import make_job, of, put_table, result, run_here
from tests.training.tables import FAST, mixed


def test_a_number_beyond_the_training_rows_counts_as_the_nearest_there() -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(300, 3)).astype(np.float32)
    network = build({"kind": "residual", "width": 8, "blocks": 1, "dropout": 0.0, **describe(x, (), 1, 4)})
    network.inputs.fit(x, x[:, 0].astype(float), 0, 0)
    network.eval()
    far, end = torch.full((1, 3), 1e6), torch.from_numpy(x.max(0))[None]
    assert torch.equal(network(far), network(end))


def test_pieces_lie_where_a_skewed_column_says_something() -> None:
    draw = np.random.default_rng(0)
    x = np.where(draw.random(5000) < 0.95, 0.0, draw.gamma(1.0, 3.0, 5000)).astype(np.float32)[:, None]
    numbers = NumberEmbedding(1, 32, 4)
    numbers.fit(x, (x[:, 0] > 2).astype(np.int64), 2, 0)
    assert int((numbers.steepness > 0).sum()) > 10   # quantiles of all rows would leave two


def test_members_of_tabm_differ_and_speak_as_their_mean() -> None:
    torch.manual_seed(0)
    x = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    network = build({"kind": "tabm", "width": 8, "blocks": 2, "dropout": 0.0, "members": 5, **describe(x, (), 3, 2)})
    network.inputs.fit(x, np.zeros(50, np.int64), 3, 0)
    raw = network.eval().raw(torch.from_numpy(x)).detach()
    assert raw.shape == (50, 5, 3)
    assert float(raw.std(1).min()) > 0
    mean = torch.softmax(raw, 2).mean(1)
    assert torch.allclose(torch.softmax(network(torch.from_numpy(x)).detach(), 1), mean, atol=1e-6)


@pytest.mark.parametrize("when", [0, 3])
def test_a_loss_that_is_no_number_is_named_and_what_was_learned_is_kept(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: int) -> None:
    prediction = torch_fit._Fit._prediction
    calls = 0

    def broken(self: Any) -> Any:
        nonlocal calls
        calls += 1
        found = prediction(self)
        return found * np.nan if calls == when + 1 or not when else found

    monkeypatch.setattr(torch_fit._Fit, "_prediction", broken)
    table = put_table(tmp_path, mixed(100))
    said = run_here(make_job(tmp_path, table, "y", estimator="mlp", parameters=FAST["mlp"]), table)
    if when:
        assert result(said)["metrics"]["accuracy"] > 0.4
        assert any("no number any more" in event["text"] for event in of("warning", said))
    else:
        assert (said[-1]["kind"], said[-1]["cause"]) == ("failed", "diverged")
        assert "out of bounds" in said[-1]["message"]
        assert "learning rate" in said[-1]["hint"]


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("kind", ["residual", "tabm", "ft_transformer"])
def test_the_graph_of_a_network_is_one_that_bundles_may_hold(kind: str, outputs: int) -> None:
    x = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    x[:, 3] = [0, 1, 2, 0, 1, 2]
    network = build({"kind": kind, "width": 8, "blocks": 2, "dropout": 0.1, "members": 3, "heads": 4,
                     **describe(x, ((3, 3),), outputs, 8, 8)})
    graph = export.network(network, 4, outputs if outputs > 1 else None)
    check_graph(graph)
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    assert session.run(None, {"features": x})[0].shape == (6, outputs)
