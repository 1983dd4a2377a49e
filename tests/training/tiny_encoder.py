"""A text encoder of random weights, written as Hugging Face's libraries write one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "very", "thing", "came", "back", "un", "##able", "##s", "!",
         ",", "café", "cafe", "中", "number", *"0123456789", *(f"##{digit}" for digit in range(10)))


def write_encoder(folder: Path, size: int = 16, layers: int = 2, prefix: str = "", **config: Any) -> Path:
    """Write it into ``folder``, which is made."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({
        "model_type": "bert", "hidden_size": size, "num_hidden_layers": layers, "num_attention_heads": 4,
        "intermediate_size": 3 * size, "hidden_act": "gelu", "max_position_embeddings": 40, "type_vocab_size": 2,
        "vocab_size": len(WORDS), "layer_norm_eps": 1e-12, "pad_token_id": 0, **config}), "utf-8")
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n", "utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True}), "utf-8")
    draw = np.random.default_rng(0)

    def weight(*shape: int) -> Any:
        return draw.normal(scale=0.5, size=shape).astype(np.float32)

    weights = {"embeddings.word_embeddings.weight": weight(len(WORDS), size),
               "embeddings.position_embeddings.weight": weight(40, size),
               "embeddings.token_type_embeddings.weight": weight(2, size),
               "embeddings.LayerNorm.weight": weight(size), "embeddings.LayerNorm.bias": weight(size)}
    for layer in range(layers):
        name = f"encoder.layer.{layer}"
        for part, into, of in (("attention.self.query", size, size), ("attention.self.key", size, size),
                               ("attention.self.value", size, size), ("attention.output.dense", size, size),
                               ("intermediate.dense", 3 * size, size), ("output.dense", size, 3 * size)):
            weights |= {f"{name}.{part}.weight": weight(into, of), f"{name}.{part}.bias": weight(into)}
        for part in ("attention.output", "output"):
            weights |= {f"{name}.{part}.LayerNorm.weight": weight(size), f"{name}.{part}.LayerNorm.bias": weight(size)}
    save_file({prefix + name: value for name, value in weights.items()}, folder / "model.safetensors")
    return folder
