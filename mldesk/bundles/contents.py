"""Is each file of a bundle what its name says? Looked at, never loaded; every kind is plain data."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib

from mldesk.bundles import as_imported, recipe
from mldesk.bundles.contract import RowContract
from mldesk.bundles.documents import MAX_DEPTH, MAX_DOCUMENT, parse
from mldesk.bundles.names import CONTRACT, GRAPH, READING, RECIPE
from mldesk.bundles.wire_scan import check_graph
from mldesk.core.errors import BadBundle
from mldesk.training.export.trusted import untrusted

_PICKLE = re.compile(rb"\x80[\x02-\x05]")                # how pickles begin since protocol 2
_MAX_SCHEMA = 256 << 20                                  # bytes of skops' own JSON
_MAX_UNPACKED = 4 << 30                                  # bytes of a skops file's arrays
_SKOPS_DEPTH = 64
_SKOPS_PART = re.compile(r"schema\.json|[0-9]{1,20}\.npy")
_NPY_MARK, _NPY_HEAD = b"\x93NUMPY", 4096                # bytes of an array's header; ours have about 128
_OBJECTS = re.compile(rb"['\"][|<>=]?O[0-9]*['\"]")      # numpy's type of Python objects, which are pickled
_CATBOOST = b"CBM1"
_SAFETENSORS_HEADER = 100_000_000                        # bytes; the format's own limit


def check_content(name: str, data: bytes) -> None:
    """Raise BadBundle with the reason if ``data`` is not what a file called ``name`` must hold."""
    if _PICKLE.match(data):
        raise BadBundle(f"This bundle's {name} is a Python pickle, which can run code when it is opened.",
                        hint="Do not use it.")
    if name == GRAPH:
        check_graph(data)
    elif name.endswith(".json"):
        if len(data) > MAX_DOCUMENT:
            raise BadBundle(f"This bundle's {name} is too large: {len(data)} bytes.")
        parse(data, name, MAX_DEPTH)
        if name == CONTRACT:
            RowContract.from_bytes(data)
        if name == RECIPE:
            recipe.from_bytes(data)
        if name == READING:
            as_imported.from_bytes(data)
    elif name.endswith(".skops"):
        _check_skops(name, data)
    elif name.endswith(".safetensors"):
        _check_safetensors(name, data)
    elif name.endswith(".cbm"):
        _check_catboost(name, data)
    else:
        _check_text(name, data)


def _check_text(name: str, data: bytes) -> None:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadBundle(f"This bundle's {name} is not text.") from error
    if "\0" in text:
        raise BadBundle(f"This bundle's {name} is not text.")


def _check_safetensors(name: str, data: bytes) -> None:
    """A header of JSON behind its length, then numbers."""
    length = struct.unpack("<Q", data[:8])[0] if len(data) >= 8 else _SAFETENSORS_HEADER
    if length > min(len(data) - 8, _SAFETENSORS_HEADER) or data[8:9] != b"{":
        raise BadBundle(f"This bundle's {name} is not a safetensors file.")
    parse(data[8:8 + length], name, MAX_DEPTH)


def _check_catboost(name: str, data: bytes) -> None:
    """Its mark, a length, and numbers in a table so long (flatbuffers), which CatBoost itself checks when it reads."""
    if data[:4] != _CATBOOST or len(data) < 8 or struct.unpack("<I", data[4:8])[0] > len(data) - 8:
        raise BadBundle(f"This bundle's {name} is not a model of CatBoost's.")


def _check_skops(name: str, data: bytes) -> None:
    """A zip of one JSON schema and arrays of plain numbers; every type in the schema must be on our list."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if sum(part.file_size for part in parts) > _MAX_UNPACKED:
                raise BadBundle(f"This bundle's {name} would take too much memory.", hint="Do not use it.")
            for part in parts:
                _check_part(name, archive, part)
            schema = _head(archive, "schema.json", _MAX_SCHEMA + 1)
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise BadBundle(f"This bundle's {name} is not a skops file.") from error
    if len(schema) > _MAX_SCHEMA:
        raise BadBundle(f"This bundle's {name} is too large.")
    fault = untrusted(parse(schema, name, _SKOPS_DEPTH))
    if fault:
        raise BadBundle(f"This bundle's {name} holds {fault}, which MLDesk does not load.", hint="Do not use it.")


def _check_part(name: str, archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    if not _SKOPS_PART.fullmatch(part.orig_filename):
        raise BadBundle(f"This bundle's {name} holds {part.orig_filename!r:.80}, which is no part of a skops file.")
    if part.filename == "schema.json":
        return
    head = _head(archive, part, _NPY_HEAD)
    if not head.startswith(_NPY_MARK):
        raise BadBundle(f"This bundle's {name} holds {part.filename!r:.80}, which is not an array.")
    size = 2 if head[6:7] == b"\1" else 4  # bytes of the length before the header, by the format's version
    length = int.from_bytes(head[8:8 + size], "little")
    if length > _NPY_HEAD - 16 or _OBJECTS.search(head[:8 + size + length]):
        raise BadBundle(f"This bundle's {name} holds an array of Python objects, which would be pickled.",
                        hint="Do not use it.")


def _head(archive: zipfile.ZipFile, part: zipfile.ZipInfo | str, size: int) -> bytes:
    with archive.open(part) as file:
        return file.read(size)
