"""Plain observable state: what a widget draws and a test reads, without Qt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Signal(Generic[T]):
    """A list of listeners. Listeners run in the emitting thread, in the order they came."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[T], object]] = []

    def subscribe(self, listener: Callable[[T], object]) -> Callable[[], None]:
        """Call ``listener`` at every emit; the returned function undoes it and may be called twice."""
        self._listeners.append(listener)

        def undo() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return undo

    def emit(self, value: T) -> None:
        """Hand ``value`` to every listener there was when the emit began."""
        for listener in tuple(self._listeners):
            listener(value)


class Observable(Generic[T]):
    """One value and the signal that it changed. Setting an equal value tells nobody."""

    def __init__(self, value: T) -> None:
        self._value = value
        self.changed: Signal[T] = Signal()

    @property
    def value(self) -> T:
        return self._value

    @value.setter
    def value(self, value: T) -> None:
        if value == self._value:
            return
        self._value = value
        self.changed.emit(value)

    def subscribe(self, listener: Callable[[T], object]) -> Callable[[], None]:
        """Call ``listener`` with the value now and at every change; returns its own undo."""
        undo = self.changed.subscribe(listener)
        listener(self._value)
        return undo


class Undoable(Observable[T]):
    """A value whose changes can be taken back and made again, without end."""

    def __init__(self, value: T) -> None:
        super().__init__(value)
        self._past: list[T] = []
        self._future: list[T] = []

    @property
    def can_undo(self) -> bool:
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        return bool(self._future)

    def change(self, value: T) -> None:
        """Set another value, which ``undo`` takes back; an equal one is no change."""
        if value != self._value:
            self._past.append(self._value)
            self._future.clear()
            self.value = value

    def undo(self) -> None:
        """Take back the latest change."""
        if self._past:
            self._future.append(self._value)
            self.value = self._past.pop()

    def redo(self) -> None:
        """Make the change again that ``undo`` took back last."""
        if self._future:
            self._past.append(self._value)
            self.value = self._future.pop()

    def forget(self, value: T) -> None:
        """Begin anew with a value, with nothing to undo."""
        self._past.clear()
        self._future.clear()
        self.value = value
