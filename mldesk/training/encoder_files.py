"""The files of a text encoder's folder, read with care: whoever made them, each fault is one ValueError that says it.

What is read here is right as a whole: numbers of the config in their ranges, every weight there, finite and of the
shape that the config says, and a vocabulary whose numbers are the rows of the table of words.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import numpy as safe_arrays

from mldesk.training.values import Array

_MOST_TEXT = 64 << 20       # bytes of a JSON file or a vocabulary
_MOST_WEIGHTS = 4 << 30     # bytes; a graph holds half of that
_RANGES = {"hidden_size": (1, 65_536), "num_hidden_layers": (1, 256), "num_attention_heads": (1, 1024),
           "max_position_embeddings": (3, 1 << 20)}
_NORMS = ("attention.output.LayerNorm", "output.LayerNorm")
_SQUARE = ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense")
_SEGMENTS = "embeddings.token_type_embeddings.weight"
_POINTER = b"version https://git-lfs"
_DISTILLED = {"hidden_size": "dim", "num_hidden_layers": "n_layers", "num_attention_heads": "n_heads",
              "hidden_act": "activation"}
_PARTS = (("attention.q_lin", "attention.self.query"), ("attention.k_lin", "attention.self.key"),
          ("attention.v_lin", "attention.self.value"), ("attention.out_lin", "attention.output.dense"),
          ("sa_layer_norm", "attention.output.LayerNorm"), ("ffn.lin1", "intermediate.dense"),
          ("ffn.lin2", "output.dense"), ("output_layer_norm", "output.LayerNorm"))


def as_bert(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config of a DistilBERT (Sanh et al. 2019) as that of the BERT it computes; any other as it is."""
    if config.get("model_type") != "distilbert":
        return dict(config)
    renamed = {ours: config[theirs] for ours, theirs in _DISTILLED.items() if theirs in config}
    return {"max_position_embeddings": 512, **config, **renamed, "model_type": "bert", "distilled": True}


def _bert_name(name: str) -> str:
    """Return the name of a weight as BERT calls it."""
    name = name.removeprefix("bert.").removeprefix("distilbert.")
    if name.startswith("transformer.layer."):
        name = "encoder." + name.removeprefix("transformer.")
        for theirs, ours in _PARTS:
            name = name.replace(f".{theirs}.", f".{ours}.")
    return name


def read_mapping(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file. Raises ValueError, OSError."""
    try:
        found = json.loads(_text(path))
    except RecursionError as error:
        raise ValueError(f"{path.name} is nested too deeply") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path.name} holds no JSON object")
    return found


def read_words(path: Path) -> list[str]:
    """Return the words of a ``vocab.txt``, one a line. Raises ValueError, OSError."""
    return _text(path).replace("\r\n", "\n").rstrip("\n").split("\n")


def vocabulary_of(index: object) -> list[str]:
    """Return the words of a ``tokenizer.json`` by their numbers. Raises ValueError unless these are 0 to n - 1."""
    if not isinstance(index, dict) or any(type(number) is not int for number in index.values()):
        raise ValueError("its vocabulary is no object of words with whole numbers")
    words = sorted(index, key=index.__getitem__)
    if any(index[word] != place for place, word in enumerate(words)):
        raise ValueError(f"the numbers of its vocabulary are not 0 to {len(words) - 1}, each once")
    return words


def checked_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config with its numbers known to be some that an encoder can have. Raises ValueError."""
    for name, (low, high) in _RANGES.items():
        value = config.get(name)
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"{name} in its config is {value!r:.40}, not a whole number from {low} to {high}")
    eps = config.get("layer_norm_eps", 1e-12)
    if type(eps) not in (int, float) or not 0 <= eps <= 1:    # NaN is in no range
        raise ValueError(f"layer_norm_eps in its config is {eps!r:.40}, not a number from 0 to 1")
    if config["hidden_size"] % config["num_attention_heads"]:
        raise ValueError("its heads do not fit its weights: hidden_size is no multiple of num_attention_heads")
    return {**config, "layer_norm_eps": float(eps)}


def read_encoder_weights(path: Path, config: Mapping[str, Any], words: int) -> dict[str, Array]:
    """Return the weights that an encoder of ``config`` with so many words has, as float32, each of its shape.

    Raises ValueError, OSError, SafetensorError.
    """
    _regular(path, _MOST_WEIGHTS)
    with open(path, "rb") as file:
        if file.read(len(_POINTER)) == _POINTER:
            raise ValueError(f"{path.name} is a pointer of Git LFS, and the weights themselves were not fetched")
    loaded = {_bert_name(name): value for name, value in safe_arrays.load_file(path).items()}
    if config.get("distilled"):   # which has no segments
        loaded[_SEGMENTS] = np.zeros((1, config["hidden_size"]), np.float32)
    found = {}
    for name, shape in _shapes(config):
        value = loaded.get(name)
        if value is None:
            raise ValueError(f"its weights lack {name}")
        if value.dtype.kind != "f" and value.dtype.name != "bfloat16":   # numpy knows that by another package
            raise ValueError(f"{name} is of the type {value.dtype.name}, not of numbers with a fraction")
        if len(shape) != value.ndim or any(want not in (0, has) for want, has in zip(shape, value.shape, strict=True)):
            raise ValueError(f"{name} has the shape {value.shape!s:.60}, where its config asks for "
                             f"{' x '.join(str(want or 'any') for want in shape)}")
        with np.errstate(over="ignore"):   # infinite then, and said
            found[name] = value.astype(np.float32)
        if not np.isfinite(found[name]).all():
            raise ValueError(f"{name} holds values that are no numbers")
    _check_tables(found, words)
    return found


def _check_tables(weights: Mapping[str, Array], words: int) -> None:
    """Raise ValueError where sizes that only the weights tell do not go together."""
    if len(weights["embeddings.word_embeddings.weight"]) < words:
        raise ValueError("its vocabulary does not fit its weights: it has more words than they have rows")
    if not len(weights["embeddings.token_type_embeddings.weight"]):
        raise ValueError("embeddings.token_type_embeddings.weight is empty")
    for name, value in weights.items():
        if name.endswith("intermediate.dense.weight"):
            layer, inner = name.removesuffix("intermediate.dense.weight"), len(value)
            if not inner or weights[f"{layer}intermediate.dense.bias"].shape != (inner,) or (
                    weights[f"{layer}output.dense.weight"].shape[1] != inner):
                raise ValueError(f"the inner weights of {layer.rstrip('.')} do not fit each other")


def _shapes(config: Mapping[str, Any]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield every weight's name and shape; 0 is a size that the config does not have to tell."""
    size = config["hidden_size"]
    yield "embeddings.word_embeddings.weight", (0, size)
    yield "embeddings.position_embeddings.weight", (config["max_position_embeddings"], size)
    yield "embeddings.token_type_embeddings.weight", (0, size)
    yield from (("embeddings.LayerNorm.weight", (size,)), ("embeddings.LayerNorm.bias", (size,)))
    for layer in range(config["num_hidden_layers"]):
        dense = {**dict.fromkeys(_SQUARE, (size, size)), "intermediate.dense": (0, size), "output.dense": (size, 0)}
        for part, shape in dense.items():
            yield f"encoder.layer.{layer}.{part}.weight", shape
            yield f"encoder.layer.{layer}.{part}.bias", shape[:1]
        for part in _NORMS:
            yield f"encoder.layer.{layer}.{part}.weight", (size,)
            yield f"encoder.layer.{layer}.{part}.bias", (size,)


def _text(path: Path) -> str:
    _regular(path, _MOST_TEXT)
    return path.read_text("utf-8")


def _regular(path: Path, most: int) -> None:
    """Raise ValueError for a pipe, a device and the like, at which a reader would wait, and for what is too large."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{path.name} is not a regular file")
    if status.st_size > most:
        raise ValueError(f"{path.name} is larger than {most >> 20} MB")
