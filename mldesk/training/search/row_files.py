"""The rows of a search as files, for other processes of the job to map into their memory. Nothing is pickled."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from mldesk.core.durable import disk_errors
from mldesk.training.blocks import Style
from mldesk.training.estimators.base import Part
from mldesk.training.prepared import read_one
from mldesk.training.search.pipeline import Offer
from mldesk.training.search.rows import OwnRows, Rows
from mldesk.training.search.variants import Variants
from mldesk.training.values import Array, ColumnData, TextColumn


def save_rows(rows: Rows, folder: Path) -> None:
    """Write what trials are fitted on. Raises DiskFull."""
    shutil.rmtree(folder, ignore_errors=True)
    with disk_errors("keeping the rows of a search"):
        folder.mkdir(parents=True)
        np.save(folder / "y.npy", next(iter(rows.parts.values())).y)
        for style, part in rows.parts.items():
            np.save(folder / f"x-{style}.npy", part.x)
        for index, (fit_on, judge_by) in enumerate(rows.folds):
            np.save(folder / f"fit-{index}.npy", fit_on)
            np.save(folder / f"judge-{index}.npy", judge_by)
        facts: dict[str, Any] = {
            "classes": rows.classes, "folds": len(rows.folds), "forward": rows.forward, "categorical": {
                style: [list(item) for item in items] for style, items in rows.categorical.items()}}
        for style, folds in rows.own.items():
            for index, own in enumerate(folds):
                for name, values in (("x", own.train.x), ("y", own.train.y), ("judged-x", own.judged.x)):
                    np.save(folder / f"own-{style}-{index}-{name}.npy", values)
        facts["own"] = {style: [own.categorical for own in folds] for style, folds in rows.own.items()}
        if rows.variants is not None:
            facts["variants"] = _save_variants(rows.variants, folder)
        (folder / "rows.json").write_text(json.dumps(facts), "utf-8")


def load_rows(folder: Path) -> Rows:
    """Read what ``save_rows`` wrote; the matrices stay on disk until they are looked at."""
    facts = json.loads((folder / "rows.json").read_text("utf-8"))
    y = np.load(folder / "y.npy")
    parts: dict[Style, Part] = {style: Part(np.load(folder / f"x-{style}.npy", mmap_mode="r"), y)
                                for style in facts["categorical"]}
    folds = [(np.load(folder / f"fit-{index}.npy"), np.load(folder / f"judge-{index}.npy"))
             for index in range(facts["folds"])]
    own: dict[Style, list[OwnRows]] = {style: [
        _load_own(folder / f"own-{style}-{index}", y[judge_by], items)
        for index, ((_, judge_by), items) in enumerate(zip(folds, each, strict=True))]
        for style, each in facts["own"].items()}
    return Rows(parts, {style: tuple((int(at), int(size)) for at, size in items)
                        for style, items in facts["categorical"].items()},
                int(facts["classes"]), folds, facts["forward"],
                _load_variants(facts["variants"], parts, folder) if "variants" in facts else None, own)


def _load_own(start: Path, judged: Array, categorical: list[list[int]]) -> OwnRows:
    """Read the rows of one fold; ``judged``: the truth of those it is judged by."""
    x, y, judged_x = (np.load(f"{start}-{name}.npy", mmap_mode="r") for name in ("x", "y", "judged-x"))
    places = tuple((int(at), int(size)) for at, size in categorical)
    return OwnRows(Part(x, np.asarray(y)), Part(judged_x, judged), places)


def _save_variants(variants: Variants, folder: Path) -> dict[str, Any]:
    """Write the columns that pipelines are made of; return what else there is to know of them."""
    texts: dict[int, list[str]] = {}
    for number, data in enumerate(variants.raw.values()):
        np.save(folder / f"raw-{number}.npy", data.codes if isinstance(data, TextColumn) else data)
        if isinstance(data, TextColumn):
            texts[number] = list(data.values)
    return {"columns": list(variants.raw), "texts": texts, "ranked": list(variants.offered.ranked),
            "meant": list(variants.offered.meant),
            "encoders": {style: encoder.to_json() for style, encoder in variants.encoders.items()}}


def _load_variants(facts: dict[str, Any], parts: dict[Style, Part], folder: Path) -> Variants:
    raw: dict[str, ColumnData] = {}
    for number, name in enumerate(facts["columns"]):
        data = np.load(folder / f"raw-{number}.npy")
        texts = facts["texts"].get(str(number))
        raw[name] = data if texts is None else TextColumn(data, tuple(texts))
    return Variants({style: read_one(value) for style, value in facts["encoders"].items()}, parts, raw,
                    Offer(ranked=tuple(facts["ranked"]), meant=tuple(facts["meant"])))
