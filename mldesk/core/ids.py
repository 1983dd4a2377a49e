"""ULIDs: 26 characters, sortable by time of making, safe in file names and URLs.

Crockford base 32 over 48 bits of milliseconds and 80 bits of randomness (https://github.com/ulid/spec).
"""

from __future__ import annotations

import re
import secrets
import threading
import time

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SHAPE = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_RANDOM_BITS = 80
_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """Return a new ULID, larger than every one this process made before (the spec's monotonic mode)."""
    global _last
    with _lock:
        fresh = (time.time_ns() // 1_000_000) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
        _last = max(fresh, _last + 1)
        value = _last
    return _written(value)


def id_for(seconds: float, seed: bytes) -> str:
    """Return the ULID of something made at ``seconds`` since the epoch; ``seed`` (10 bytes) tells it from others."""
    moment = min(max(0, int(seconds * 1000)), (1 << 48) - 1)
    return _written(moment << _RANDOM_BITS | int.from_bytes(seed, "big"))


def _written(value: int) -> str:
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))


def is_id(text: str) -> bool:
    """Say whether ``text`` is a ULID as ``new_id`` writes it; ids from a peer become file names only after this."""
    return _SHAPE.fullmatch(text) is not None
