"""Free text read by an encoder from a folder: the same pieces and numbers as torch, one graph, and clear refusals."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from safetensors.numpy import load_file, save_file
from torch import nn

from mldesk.bundles import write_bundle
from mldesk.bundles.predictor import Predictor
from mldesk.core.errors import BadInput
from mldesk.training.text_encoder import TextEncoder, read_text_encoder
from mldesk.training.values import TextColumn
from tests.bundles.making import KEY
from tests.training.jobs import make_job, put_table, result, run_here
from tests.training.tiny_encoder import WORDS, write_encoder


def _pieces(encoder: TextEncoder, text: str) -> list[str]:
    numbers = encoder.pieces.transform(TextColumn.of([text]))[0]
    return [encoder.pieces.words[int(number)] for number in numbers if number]


@pytest.mark.parametrize(("text", "pieces"), [
    ("Good things!", "good thing ##s !"), ("unable, BAD", "un ##able , bad"), ("CAFÉ cafe\tgood", "cafe cafe good"),
    ("very中good", "very 中 good"), ("nothing", "[UNK]"), ("number 42 \x00 back", "number 4 ##2 back"), ("", ""),
    ("good" + "d" * 200, "[UNK]")])
def test_text_is_cut_into_pieces(tmp_path: Path, text: str, pieces: str) -> None:
    encoder = read_text_encoder(str(write_encoder(tmp_path / "tiny")))
    assert _pieces(encoder, text) == ["[CLS]", *pieces.split(), "[SEP]"]
    assert len(_pieces(encoder, f"{text} " + "very " * 100)) == 40


def _by_torch(encoder: TextEncoder, tokens: Any) -> Any:
    """The same encoder by torch's own layers: post-norm, exact GELU."""
    config, weights = encoder.config, {name: torch.from_numpy(value) for name, value in encoder.weights.items()}
    size, heads = encoder.size, config["num_attention_heads"]
    ids = torch.from_numpy(tokens).long()
    there = ids != 0
    hidden = (weights["embeddings.word_embeddings.weight"][ids] + weights["embeddings.token_type_embeddings.weight"][0]
              + weights["embeddings.position_embeddings.weight"][:ids.shape[1]])

    def normed(name: str, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.layer_norm(x, (size,), weights[f"{name}.weight"], weights[f"{name}.bias"], 1e-12)

    def linear(name: str, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    hidden = normed("embeddings.LayerNorm", hidden)
    for layer in range(config["num_hidden_layers"]):
        name = f"encoder.layer.{layer}"
        query, key, value = (linear(f"{name}.attention.self.{part}", hidden).unflatten(2, (heads, -1)).transpose(1, 2)
                             for part in ("query", "key", "value"))
        said = nn.functional.scaled_dot_product_attention(query, key, value, there[:, None, None])
        hidden = normed(f"{name}.attention.output.LayerNorm", hidden + linear(
            f"{name}.attention.output.dense", said.transpose(1, 2).flatten(2)))
        inner = nn.functional.gelu(linear(f"{name}.intermediate.dense", hidden))
        hidden = normed(f"{name}.output.LayerNorm", hidden + linear(f"{name}.output.dense", inner))
    return ((hidden * there[..., None]).sum(1) / there.sum(1, keepdim=True)).numpy()


@pytest.mark.parametrize("prefix", ["", "bert."])
def test_the_encoder_says_what_torch_makes_of_its_weights(tmp_path: Path, prefix: str) -> None:
    encoder = read_text_encoder(str(write_encoder(tmp_path / "tiny", prefix=prefix))).cut_to(9)
    tokens = encoder.pieces.transform(TextColumn.of(["good thing", "bad, very bad things came back", "", "unable"]))
    ours = encoder.embed(tokens)
    assert np.abs(ours - _by_torch(encoder, tokens)).max() < 1e-4
    assert np.array_equal(encoder.embed(tokens[[2, 0, 2]]), ours[[2, 0, 2]])
    assert not encoder.embed(np.zeros((1, 9), np.float32)).any()   # a missing cell


def _texts(rows: int = 160) -> pa.Table:
    draw = np.random.default_rng(0)
    liked = draw.random(rows) < 0.5
    return pa.table({
        "said": pa.array([f"{('bad', 'good')[int(like)]} thing number {row} back" for row, like in enumerate(liked)],
                         mask=draw.random(rows) < 0.05),
        "size": draw.normal(size=rows), "town": draw.choice(["Ulm", "Bonn"], rows),
        "y": [("no", "yes")[int(like)] for like in liked]})


@pytest.mark.parametrize(("estimator", "parameters"), [
    ("linear", {}), ("lightgbm", {"rounds": 10}), ("mlp", {"epochs": 2, "width": 16, "blocks": 1})])
def test_a_model_behind_an_encoder_leaves_as_one_graph(tmp_path: Path, estimator: str,
                                                       parameters: dict[str, Any]) -> None:
    table = put_table(tmp_path, _texts())
    folder = write_encoder(tmp_path / "tiny")
    said = run_here(make_job(tmp_path, table, "y", estimator=estimator,
                             parameters={**parameters, "text_encoder": str(folder)}), table)
    done = result(said)
    assert any(event["kind"] == "progress" and event["unit"] == "texts" for event in said)
    manifest = table.store.manifest(done["model"])
    model = json.loads(table.store.read(manifest.entry("model.json").sha256))
    assert model["onnx"]["verified"], model["onnx"]
    assert done["metrics"]["roc_auc"] > 0.8
    write_bundle(tmp_path / "m.mlbundle", done["model"], table.store, {
        "name": "m", "version": 1, "metrics": {}, "notes": "", "provenance": {}}, KEY, signer="A. Tester")
    with zipfile.ZipFile(tmp_path / "m.mlbundle") as bundle:
        assert "native/text_encoder.safetensors" in bundle.namelist()
    predictor = Predictor.open(tmp_path / "m.mlbundle")
    rows = json.loads(table.store.read(manifest.entry("sample_input.json").sha256))
    expected = json.loads(table.store.read(manifest.entry("expected.json").sha256))
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    got = predictor.predict({name: values * 40 for name, values in columns.items()})   # more than are read at once
    assert list(got["probability_yes"]) == pytest.approx(expected["probability_yes"] * 40, abs=1e-5)


def test_folds_are_read_as_the_model_is(tmp_path: Path) -> None:
    table = put_table(tmp_path, _texts(120))
    folder = write_encoder(tmp_path / "tiny", layers=1)
    done = result(run_here(make_job(tmp_path, table, "y", estimator="linear", split={"folds": 3}, parameters={
        "text_encoder": str(folder)}), table))
    assert done["cross_validation"]["folds"] == 3
    assert done["cross_validation"]["metrics"]["roc_auc"]["mean"] > 0.8


def test_an_encoder_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLDESK_HOME", str(tmp_path))
    write_encoder(tmp_path / "encoders" / "small")
    assert read_text_encoder("small").size == 16
    with pytest.raises(BadInput, match="There is no text encoder 'large' on the machine that trains"):
        read_text_encoder("large")


def test_what_hugging_face_fetched_before_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLDESK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    place = tmp_path / "hub" / "models--some--tiny"
    write_encoder(place / "snapshots" / "abc")
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text("abc")
    assert read_text_encoder("some/tiny").size == 16
    for name in ("some/other", "../some/tiny", "some/tiny/abc"):
        with pytest.raises(BadInput, match="There is no text encoder"):
            read_text_encoder(name)


def test_a_distilled_encoder_is_read_as_the_one_it_computes(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path / "bert")
    weights = load_file(folder / "model.safetensors")
    weights["embeddings.token_type_embeddings.weight"][:] = 0
    save_file(weights, folder / "model.safetensors")
    names = {"encoder.": "transformer.", "attention.self.query": "attention.q_lin", "attention.self.key":
             "attention.k_lin", "attention.self.value": "attention.v_lin", "attention.output.dense":
             "attention.out_lin", "attention.output.LayerNorm": "sa_layer_norm", "intermediate.dense": "ffn.lin1",
             "output.dense": "ffn.lin2", "output.LayerNorm": "output_layer_norm"}
    renamed = {}
    for name, value in weights.items():
        for ours, theirs in names.items():
            name = name.replace(ours, theirs) if name.startswith(("encoder", "transformer")) else name
        renamed[f"distilbert.{name}"] = value
    del renamed["distilbert.embeddings.token_type_embeddings.weight"]
    other = write_encoder(tmp_path / "distil")
    save_file(renamed, other / "model.safetensors")
    (other / "config.json").write_text(json.dumps({"model_type": "distilbert", "dim": 16, "n_layers": 2, "n_heads": 4,
                                                   "max_position_embeddings": 40, "activation": "gelu"}), "utf-8")
    first, second = (read_text_encoder(str(path)) for path in (folder, other))
    tokens = first.pieces.transform(TextColumn.of(["good thing", "bad"]))
    assert np.array_equal(first.embed(tokens), second.embed(tokens))


def test_what_is_no_encoder_that_can_be_used_says_why(tmp_path: Path) -> None:
    for number, (config, why) in enumerate((
            ({"model_type": "roberta"}, "of the kind 'roberta'"),
            ({"hidden_act": "silu"}, "of the kind 'bert' with hidden_act 'silu'"),
            ({"num_attention_heads": 3}, "do not fit its weights"), ({"num_hidden_layers": 3}, "cannot be read"),
            ({"hidden_size": "wide"}, "cannot be read"))):
        with pytest.raises(BadInput, match=why):
            read_text_encoder(str(write_encoder(tmp_path / str(number), **config)))   # type: ignore[arg-type]
    for name in ("config.json", "model.safetensors"):
        folder = write_encoder(tmp_path / f"without {name}")
        (folder / name).unlink()
        with pytest.raises(BadInput, match=f"lacks {name}"):
            read_text_encoder(str(folder))
    (folder / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(BadInput, match=r"lacks model.safetensors") as refused:
        read_text_encoder(str(folder))
    assert "pytorch_model.bin may hold its weights, but as pickle" in refused.value.hint
    spoilt = write_encoder(tmp_path / "spoilt")
    (spoilt / "model.safetensors").write_bytes(b"\x08" + bytes(40))
    with pytest.raises(BadInput, match="cannot be read"):
        read_text_encoder(str(spoilt))


def test_a_vocabulary_may_come_in_tokenizer_json(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path / "tiny")
    (folder / "vocab.txt").unlink()
    index = {word: number for number, word in enumerate(WORDS)}
    (folder / "tokenizer.json").write_text(json.dumps({
        "model": {"type": "WordPiece", "vocab": index}, "normalizer": {"lowercase": False}}), "utf-8")
    encoder = read_text_encoder(str(folder))
    assert encoder.pieces.words == WORDS
    assert _pieces(encoder, "Café good café") == ["[CLS]", "[UNK]", "good", "café", "[SEP]"]
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"type": "BPE", "vocab": index}}), "utf-8")
    with pytest.raises(BadInput, match="in another way than WordPiece"):
        read_text_encoder(str(folder))


def _weights(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        weights = load_file(folder / "model.safetensors")
        change(weights)
        save_file(weights, folder / "model.safetensors")
    return spoil


def _set(name: str, *shape: int) -> Callable[[Path], object]:
    return _weights(lambda weights: weights.update({name: np.zeros(shape, np.float32)}))


def _fill(name: str, value: float) -> Callable[[Path], object]:
    return _weights(lambda weights: weights[name].fill(value))


def _vocabulary(vocab: object, **more: object) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        (folder / "vocab.txt").unlink()
        (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocab}, **more}), "utf-8")
    return spoil


def _text(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text, "utf-8")


_NAN, _ENDLESS = float("nan"), float("inf")
_LAYER = "encoder.layer.1"


@pytest.mark.parametrize(("name", "value"), [
    ("num_attention_heads", 0), ("num_attention_heads", -2), ("num_attention_heads", True),
    ("num_hidden_layers", _ENDLESS), ("num_hidden_layers", -1), ("num_hidden_layers", 10**9),
    ("hidden_size", 0), ("hidden_size", 10**18), ("hidden_size", 16.0), ("max_position_embeddings", 0),
    ("max_position_embeddings", None), ("layer_norm_eps", _NAN), ("layer_norm_eps", "small"), ("layer_norm_eps", -1)])
def test_a_config_out_of_range_is_refused(tmp_path: Path, name: str, value: object) -> None:
    folder = write_encoder(tmp_path / "tiny")
    config = {**json.loads((folder / "config.json").read_text("utf-8")), name: value}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(BadInput, match=f"cannot be read: {name} in its config is"):
        read_text_encoder(str(folder))


@pytest.mark.parametrize(("spoil", "why"), [
    (_text("config.json", "[" * 100_000), "nested too deeply"),
    (_text("config.json", "[1]"), "config.json holds no JSON object"),
    (_text("tokenizer_config.json", "7"), "tokenizer_config.json holds no JSON object"),
    (_text("vocab.txt", ""), "not a vocabulary"),
    (_text("vocab.txt", "\n".join([*WORDS, *(f"more{number}" for number in range(99))])), "more words than they have"),
    (_set(f"{_LAYER}.attention.self.query.weight", 3, 5), r"query.weight has the shape \(3, 5\), where .* 16 x 16"),
    (_set(f"{_LAYER}.output.dense.bias", 3, 5, 7), "output.dense.bias has the shape"),
    (_set(f"{_LAYER}.output.dense.weight", 16, 7), "inner weights of encoder.layer.1 do not fit"),
    (_set("embeddings.LayerNorm.weight", 3), "LayerNorm.weight has the shape"),
    (_set("embeddings.position_embeddings.weight", 39, 16), "position_embeddings.weight has the shape"),
    (_text("model.safetensors", "version https://git-lfs.github.com/spec/v1\n"), "is a pointer of Git LFS"),
    (_weights(lambda weights: weights.update({"embeddings.LayerNorm.bias": np.zeros(16, np.int8)})), "type int8, not"),
    (_set("embeddings.token_type_embeddings.weight", 0, 16), "token_type_embeddings.weight is empty"),
    (_fill("embeddings.word_embeddings.weight", _NAN), "holds values that are no numbers"),
    (_fill(f"{_LAYER}.output.dense.bias", _ENDLESS), "holds values that are no numbers"),
    (_fill(f"{_LAYER}.intermediate.dense.weight", 3e38), "becomes no numbers"),
    (_vocabulary([1, 2]), "no object of words"), (_vocabulary(None), "no object of words"),
    (_vocabulary(dict.fromkeys(WORDS, 1)), "are not 0 to"),
    (_vocabulary({word: 2 * place for place, word in enumerate(WORDS)}), "are not 0 to"),
    (_vocabulary({word: str(place) for place, word in enumerate(WORDS)}), "no object of words"),
    (_vocabulary({}, normalizer=[1]), "does not say how text is cut")])
def test_a_folder_with_a_fault_is_refused_in_one_sentence(tmp_path: Path, spoil: Callable[[Path], object],
                                                          why: str) -> None:
    folder = write_encoder(tmp_path / "tiny")
    spoil(folder)
    with pytest.raises(BadInput, match=why) as refused:
        read_text_encoder(str(folder))
    assert "\n" not in refused.value.message


@pytest.mark.parametrize("name", ["config.json", "vocab.txt", "tokenizer_config.json", "model.safetensors"])
def test_a_pipe_in_the_folder_is_not_waited_for(tmp_path: Path, name: str) -> None:
    folder = write_encoder(tmp_path / "tiny")
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(BadInput, match=f"{name} is not a regular file"):
        read_text_encoder(str(folder))


@pytest.mark.parametrize("name", ["~nobody-of-that-name/x", "a\x00b", "x" * 5000])
def test_a_name_that_no_folder_can_have_is_said_to_be_missing(name: str) -> None:
    with pytest.raises(BadInput, match="There is no text encoder"):
        read_text_encoder(name)
