"""What NVIDIA's driver says of its cards, asked through its own library; standard library only.

The library comes with the driver, so nothing has to be installed; where there is no driver, ``Nvml.open`` raises
NoCards. A driver that hangs holds the caller as long as it likes (no signal helps): ask from a process or a thread that
nobody waits for. Functions that a driver or a card lacks give None or nothing, never an error.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

_LIBRARY = "nvml.dll" if sys.platform == "win32" else "libnvidia-ml.so.1"
_OK, _TOO_SMALL = 0, 7
_CORE = 0                            # the temperature sensor of the chip
_TEXT = 96                           # bytes of a name or UUID, the most that the library asks for
_UNKNOWN = (1 << 64) - 1             # memory of a process that the driver does not tell
_PROCESSES = 256                     # on one card, at first
_MOST_PROCESSES = 1 << 16


class NoCards(Exception):
    """There is no driver here, or it does not work; str(error) says which."""


@dataclass(frozen=True, slots=True)
class Card:
    """One card at one moment. None is what its driver does not say."""

    index: int                       # as the driver counts, by place on the bus
    uuid: str                        # "GPU-…"; "" if unknown
    name: str
    utilization: float | None        # 0 to 1: share of the last moments in which anything ran on it
    memory_used: int                 # bytes
    memory_total: int
    temperature: float | None        # degrees Celsius
    power: float | None              # watts
    processes: Mapping[int, int]     # bytes on the card by pid, of what calculates; pids as the driver's host counts


class _Utilization(ctypes.Structure):
    _fields_ = (("gpu", ctypes.c_uint), ("memory", ctypes.c_uint))


class _Memory(ctypes.Structure):
    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


class _Memory2(ctypes.Structure):
    """As nvidia-smi counts: what the driver keeps for itself is not in ``used``."""

    _fields_ = (("version", ctypes.c_uint), ("total", ctypes.c_ulonglong), ("reserved", ctypes.c_ulonglong),
                ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


class _Process(ctypes.Structure):
    _fields_ = (("pid", ctypes.c_uint), ("used", ctypes.c_ulonglong), ("instance", ctypes.c_uint),
                ("compute_instance", ctypes.c_uint))


class _OldProcess(ctypes.Structure):
    """What drivers before 445 fill in."""

    _fields_ = (("pid", ctypes.c_uint), ("used", ctypes.c_ulonglong))


class Nvml:
    """The driver's library, open. Not for several threads at once."""

    def __init__(self, library: Any) -> None:
        """``library``: has NVML's functions as attributes. Raises NoCards."""
        self._library = library
        self._cards: list[ctypes.c_void_p] = []
        code = self._call("nvmlInit_v2")
        if code != _OK:
            raise NoCards(f"The NVIDIA driver does not work: {self._words(code)}.")
        count = ctypes.c_uint()
        if self._call("nvmlDeviceGetCount_v2", ctypes.byref(count)) != _OK:
            self.close()
            raise NoCards("The NVIDIA driver does not say how many cards there are.")
        for index in range(min(count.value, 64)):
            card = ctypes.c_void_p()
            # One that fell off the bus has no handle; the others are still numbered as before.
            failed = self._call("nvmlDeviceGetHandleByIndex_v2", ctypes.c_uint(index), ctypes.byref(card)) != _OK
            self._cards.append(ctypes.c_void_p() if failed else card)

    @classmethod
    def open(cls, path: str = _LIBRARY) -> Self:
        """Load the driver's library. Raises NoCards where there is none, or it does not work."""
        try:
            library = ctypes.CDLL(path)
        except OSError as error:
            raise NoCards("No NVIDIA driver is on this machine.") from error
        return cls(library)

    def close(self) -> None:
        """Let go of the driver."""
        self._call("nvmlShutdown")
        self._cards = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def cards(self, *, processes: bool = True) -> list[Card]:
        """Read every card that answers; ``processes``: and what runs on it."""
        return [self._read(index, card, processes) for index, card in enumerate(self._cards) if card]

    def _read(self, index: int, card: ctypes.c_void_p, processes: bool) -> Card:
        load = _Utilization()
        known = self._call("nvmlDeviceGetUtilizationRates", card, ctypes.byref(load)) == _OK
        used, total = self._memory(card)
        heat = self._number("nvmlDeviceGetTemperature", card, ctypes.c_uint(_CORE))
        power = self._number("nvmlDeviceGetPowerUsage", card)  # milliwatts
        return Card(index, self._text("nvmlDeviceGetUUID", card), self._text("nvmlDeviceGetName", card),
                    min(1.0, load.gpu / 100) if known else None, used, total,
                    None if heat is None else float(heat), None if power is None else power / 1000,
                    self._processes(card) if processes else {})

    def _memory(self, card: ctypes.c_void_p) -> tuple[int, int]:
        newer = _Memory2(version=ctypes.sizeof(_Memory2) | 2 << 24)
        if self._call("nvmlDeviceGetMemoryInfo_v2", card, ctypes.byref(newer)) == _OK:
            return int(newer.used), int(newer.total)
        older = _Memory()
        if self._call("nvmlDeviceGetMemoryInfo", card, ctypes.byref(older)) == _OK:
            return int(older.used), int(older.total)
        return 0, 0

    def _processes(self, card: ctypes.c_void_p) -> dict[int, int]:
        for name, kind in (("nvmlDeviceGetComputeRunningProcesses_v3", _Process),
                           ("nvmlDeviceGetComputeRunningProcesses_v2", _Process),
                           ("nvmlDeviceGetComputeRunningProcesses", _OldProcess)):
            if (found := self._list(name, card, kind)) is not None:
                totals: dict[int, int] = {}
                for pid, used in found:
                    totals[pid] = totals.get(pid, 0) + (0 if used == _UNKNOWN else used)
                return totals
        return {}

    def _list(self, name: str, card: ctypes.c_void_p,
              kind: type[_Process | _OldProcess]) -> list[tuple[int, int]] | None:
        room = _PROCESSES
        while room <= _MOST_PROCESSES:
            count, space = ctypes.c_uint(room), (kind * room)()
            code = self._call(name, card, ctypes.byref(count), space)
            if code == _OK:
                return [(int(item.pid), int(item.used)) for item in space[:min(count.value, room)]]
            if code != _TOO_SMALL:
                return None
            room = max(room * 2, count.value)  # some may have begun since it counted
        return None

    def _number(self, name: str, *arguments: Any) -> int | None:
        value = ctypes.c_uint()
        return int(value.value) if self._call(name, *arguments, ctypes.byref(value)) == _OK else None

    def _text(self, name: str, card: ctypes.c_void_p) -> str:
        text = ctypes.create_string_buffer(_TEXT)
        found = self._call(name, card, text, ctypes.c_uint(_TEXT)) == _OK
        return text.value.decode("utf-8", "replace") if found else ""

    def _call(self, name: str, *arguments: Any) -> int | None:
        """Call a function of the library; None where it has no such function."""
        try:
            function = getattr(self._library, name)
        except AttributeError:
            return None
        return int(function(*arguments))

    def _words(self, code: int | None) -> str:
        if code is None:
            return "it is too old"
        try:
            function = self._library.nvmlErrorString
        except AttributeError:
            return f"error {code}"
        function.restype = ctypes.c_char_p
        said = function(ctypes.c_int(code))
        return said.decode("utf-8", "replace") if isinstance(said, bytes) else f"error {code}"


def visible(cards: Sequence[Card], wanted: str | None) -> list[Card]:
    """Return the cards that CUDA_VISIBLE_DEVICES leaves a process, in its order; all of them where it is not set.

    Numbers count as the driver does, which is what CUDA does with CUDA_DEVICE_ORDER=PCI_BUS_ID, and with one card.
    """
    if wanted is None:
        return list(cards)
    found: list[Card] = []
    for item in filter(None, (part.strip() for part in wanted.split(","))):
        match = next((card for card in cards if (card.index == int(item) if item.isdecimal()
                                                 else item.startswith("GPU-") and card.uuid.startswith(item))), None)
        if match is None:  # CUDA too takes what stands before the first one that is none
            break
        found.append(match)
    return found
