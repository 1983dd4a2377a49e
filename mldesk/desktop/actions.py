"""Everything the window can be told to do, once: menus, shortcuts, the command palette and the cheat sheet read it.

Knows no Qt; ``menus.py`` makes Qt's own actions of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mldesk.core.observable import Signal

MENUS = ("File", "Go", "Data", "Run", "Model", "View", "Help")


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do. ``why_not`` says why it cannot be done now, "" when it can."""

    id: str                                    # "run.cancel": stable, for tests and for settings
    title: str                                 # as in a menu, translated
    run: Callable[[], object]
    menu: str = ""                             # one of MENUS; "" keeps it out of the menus
    shortcut: str = ""                         # as QKeySequence reads it
    icon: str = ""
    why_not: Callable[[], str] = lambda: ""
    words: str = ""                            # more words the palette finds it by


class Actions:
    """The registry. Signals: ``refused`` with the reason when an action that cannot run is triggered."""

    def __init__(self) -> None:
        self._actions: dict[str, Action] = {}
        self.refused: Signal[str] = Signal()

    def add(self, action: Action) -> Action:
        """Register an action. Raises ValueError for an id, shortcut or menu that cannot be."""
        if action.id in self._actions:
            raise ValueError(f"two actions are called {action.id}")
        if action.menu and action.menu not in MENUS:
            raise ValueError(f"{action.id}: there is no menu {action.menu!r}")
        taken = [other.id for other in self if action.shortcut and other.shortcut == action.shortcut]
        if taken:
            raise ValueError(f"{action.id} and {taken[0]} both want {action.shortcut}")
        self._actions[action.id] = action
        return action

    def __iter__(self) -> Iterator[Action]:
        return iter(self._actions.values())

    def __getitem__(self, action_id: str) -> Action:
        return self._actions[action_id]

    def trigger(self, action_id: str) -> bool:
        """Run an action, or emit ``refused`` with why it cannot run now; say whether it ran."""
        action = self._actions[action_id]
        if reason := action.why_not():
            self.refused.emit(reason)
            return False
        action.run()
        return True

    def find(self, text: str) -> list[Action]:
        """Return the actions that match ``text``, best first: every typed word must begin a word or occur in order."""
        ranked = [(score, index, action) for index, action in enumerate(self)
                  if (score := _score(text.casefold(), f"{action.title} {action.words}".casefold())) is not None]
        return [action for _, _, action in sorted(ranked, key=lambda item: item[:2])]


def _score(text: str, title: str) -> int | None:
    """Rank a match, 0 best; None for none."""
    if not text.strip():
        return 0
    if title.startswith(text.strip()):
        return 0
    starts = title.split()
    if all(any(start.startswith(word) for start in starts) for word in text.split()):
        return 1
    if text.strip() in title:
        return 2
    letters = iter(title)
    return 3 if all(letter in letters for letter in text.replace(" ", "")) else None
