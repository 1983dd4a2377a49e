"""A text encoder from a folder of this machine: what turns free text into numbers that say what it means.

Encoders of the BERT family (BERT, DistilBERT, MiniLM, BGE, E5, GTE and their like), in Hugging Face's format:
``config.json``, ``model.safetensors``, and ``vocab.txt`` or ``tokenizer.json``. No network, no code of the folder and
no other library: the weights become a graph that onnxruntime runs, here as wherever the model predicts later.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError

from mldesk.core.errors import BadInput
from mldesk.core.paths import default_home
from mldesk.training.encoder_files import (
    as_bert,
    checked_config,
    read_encoder_weights,
    read_mapping,
    read_words,
    vocabulary_of,
)
from mldesk.training.pieces import Pieces
from mldesk.training.values import Array

ENCODERS = "encoders"      # the folder in MLDesk's own where encoders are found by name
MOST_PIECES = 128          # of a text
AT_ONCE = 64               # texts
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")   # of a model on Hugging Face
_KEPT = 50_000             # texts whose answers are kept
_HINT = ("Name a folder with config.json, model.safetensors and vocab.txt of an encoder of the BERT family "
         "(all-MiniLM-L6-v2, bge-small-en, e5-small, …).")


@dataclass(frozen=True, slots=True, eq=False)
class TextEncoder:
    """An encoder, read. What it makes of a text is kept while it lives."""

    config: Mapping[str, Any]
    weights: Mapping[str, Array]       # float32
    pieces: Pieces
    _sessions: dict[int, Any] = field(default_factory=dict)
    _known: dict[bytes, Array] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many numbers a text becomes."""
        return int(self.config["hidden_size"])

    def cut_to(self, length: int) -> TextEncoder:
        """Return it for texts of at most so many pieces."""
        return replace(self, pieces=replace(self.pieces, length=length), _sessions={}, _known={})

    def embed(self, tokens: Array, told: Callable[[int, int], None] | None = None) -> Array:
        """Return (N, size) float32 of (N, length) numbers of pieces, the mean over each text's pieces.

        ``told`` hears how many of how many texts it has read.
        """
        if len(self._known) > _KEPT:
            self._known.clear()
        tokens = np.ascontiguousarray(tokens, np.float32)
        different, places = np.unique(tokens, axis=0, return_inverse=True)
        keys = [row.tobytes() for row in different]
        new = [number for number, key in enumerate(keys) if key not in self._known]
        for begin in range(0, len(new), AT_ONCE):
            rows = new[begin:begin + AT_ONCE]
            for number, vector in zip(rows, self._run(different[rows]), strict=True):
                self._known[keys[number]] = vector
            if told is not None:
                told(begin + len(rows), len(new))
        found = np.array([self._known[key] for key in keys], np.float32).reshape(len(keys), self.size)
        embedded: Array = found[places.reshape(-1)]
        return embedded

    def _run(self, tokens: Array) -> Array:
        import onnxruntime  # slow; and who trains without text needs none of it

        if not self._sessions:
            from mldesk.training.export.encoder import encoder_graph  # loads onnx

            options = onnxruntime.SessionOptions()
            options.log_severity_level = 3
            self._sessions[0] = onnxruntime.InferenceSession(
                encoder_graph(self.config, self.weights, self.pieces), options, providers=["CPUExecutionProvider"])
        vectors: Array = self._sessions[0].run(None, {"features": tokens})[0]
        return vectors


def read_text_encoder(name: str) -> TextEncoder:
    """Read an encoder: a folder, the name of one in MLDesk's folder ``encoders``, or of one in Hugging Face's cache.

    Raises BadInput that says what is missing or wrong, or what it is where it is of another kind.
    """
    folder = _folder(name)
    try:
        config = as_bert(read_mapping(folder / "config.json"))
        if why := _unlike(config):
            raise BadInput(f"The text encoder in {folder.name!r:.80} is of the kind {config.get('model_type')!r:.40}"
                           f"{why}; those of the kinds 'bert' and 'distilbert' can be used.", hint=_HINT)
        config = checked_config(config)
        pieces = _pieces(folder, config)
        weights = read_encoder_weights(folder / "model.safetensors", config, len(pieces.words))
        encoder = TextEncoder(config, weights, pieces)
        _try(encoder)
    except FileNotFoundError as error:
        raise BadInput(f"The text encoder in {folder.name!r:.80} lacks {Path(str(error.filename)).name}.",
                       hint=_pickled(folder) or _HINT) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        raise BadInput(f"The text encoder in {folder.name!r:.80} cannot be read: {error!s:.200}.",
                       hint=_HINT) from error
    return encoder


def _pickled(folder: Path) -> str:
    """Say that a folder has weights which are not opened here; "" if it has none."""
    found = next((path.name for ending in ("bin", "pt", "pth", "ckpt") for path in sorted(folder.glob(f"*.{ending}"))),
                 "")
    return (f"{found:.80} may hold its weights, but as pickle, which can run any code and is not opened here. Save "
            "them as safetensors: save_pretrained(FOLDER, safe_serialization=True).") if found else ""


def _unlike(config: Mapping[str, Any]) -> str:
    """Say what in a config makes its encoder one that cannot be used; a space for its kind, "" for nothing."""
    if config.get("model_type") != "bert":
        return " "
    for key, value in (("hidden_act", "gelu"), ("position_embedding_type", "absolute"), ("is_decoder", False)):
        if (found := config.get(key) or value) != value:
            return f" with {key} {found!r:.40}"
    return ""


def _folder(name: str) -> Path:
    with suppress(OSError, RuntimeError, ValueError):   # too long a name; the home of nobody; a NUL
        for folder in (Path(name).expanduser(), default_home() / ENCODERS / name, *_cached(name)):
            if folder.is_dir():
                return folder
    raise BadInput(f"There is no text encoder {name[:80]!r} on the machine that trains.", hint=_HINT)


def _cached(name: str) -> list[Path]:
    """Return where Hugging Face's libraries keep what they once fetched under this name, the revision in use first."""
    if not _NAME.fullmatch(name):
        return []
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    place = Path(os.environ.get("HF_HUB_CACHE") or home / "hub") / f"models--{name.replace('/', '--')}"
    with suppress(OSError, ValueError):
        return [place / "snapshots" / (place / "refs" / "main").read_text("utf-8").strip()]
    return []


def _pieces(folder: Path, config: Mapping[str, Any]) -> Pieces:
    told: Mapping[str, Any] = {}
    if (folder / "tokenizer_config.json").exists():
        told = read_mapping(folder / "tokenizer_config.json")
    lower = bool(told.get("do_lower_case", True))
    if (folder / "vocab.txt").exists():
        words = read_words(folder / "vocab.txt")
    else:
        tokenizer = read_mapping(folder / "tokenizer.json")
        model, normalizer = tokenizer.get("model"), tokenizer.get("normalizer") or {}
        if not isinstance(model, dict) or not isinstance(normalizer, dict):
            raise ValueError("tokenizer.json does not say how text is cut")
        if model.get("type", "WordPiece") != "WordPiece":
            raise BadInput(f"The text encoder in {folder.name!r:.80} cuts text in another way than WordPiece.",
                           hint=_HINT)
        words = vocabulary_of(model.get("vocab"))
        lower = bool(normalizer.get("lowercase", lower))
    return Pieces.from_json({"words": words, "lower": lower, "special": ["[CLS]", "[SEP]", "[UNK]", "[PAD]"],
                             "length": min(MOST_PIECES, config["max_position_embeddings"])})


def _try(encoder: TextEncoder) -> None:
    """Raise ValueError where finite weights still make no numbers of a text."""
    pieces = encoder.pieces
    tokens = np.full((1, 3), pieces.words.index(pieces.unknown), np.float32)
    if not np.isfinite(encoder.cut_to(3).embed(tokens)).all():
        raise ValueError("its weights are so large that a text becomes no numbers")
