"""An import before it is one: what would be made of the sources, followed live as its reading is changed."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldesk.core.errors import BadInput, MldeskError
from mldesk.core.observable import Observable, Undoable
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.tasks import current, in_thread

if TYPE_CHECKING:
    from mldesk.data import Fix, ImportPreview

Source = Path | str          # a path, a URL, or sample:NAME
ROWS = 100                   # shown of the preview
_USUALLY_ON = ("partitions",)   # yes and no, of which no is what a user may say
_LISTS = ("types", "missing", "text", "widths", "without")
_EITHER = (("sheet", "sheets"), ("table", "query"))   # of which only one can be said


class ImportDraft:
    """Sources and what the user says about them. ``changes`` are import options as JSON; what is absent is found out.

    ``text`` is a table from the clipboard, instead of sources.
    """

    def __init__(self, desk: Desk, sources: Sequence[Source] = (), text: str = "") -> None:
        self._desk, self.sources, self.text = desk, tuple(sources), text
        self._stop = threading.Event()
        self._asked = 0
        self.changes: Undoable[dict[str, Any]] = Undoable({})
        self.preview: Observable[ImportPreview | None] = Observable(None)
        self.problem: Observable[MldeskError | None] = Observable(None)
        self.busy = Observable(False)

    @property
    def fixes(self) -> tuple[Fix, ...]:
        """What might help where the sources were refused."""
        return tuple(getattr(self.problem.value, "fixes", ()))

    def say(self, **options: Any) -> None:
        """Say something about the sources; None or an empty value leaves it to be found out again."""
        changes = {**self.changes.value, **options}
        kept = {name: value for name, value in changes.items()
                if value not in (None, "", [], ()) and value is not (name in _USUALLY_ON)}
        self.changes.change(kept)

    def apply(self, fix: Fix) -> None:
        """Do what a problem suggests; a list goes on from what was said before."""
        changes: Mapping[str, Any] = fix.changes
        grown = {name: _grown(self.changes.value.get(name, []), value) if name in _LISTS else value
                 for name, value in changes.items()}
        others = {other for pair in _EITHER for other in pair if set(pair) & set(grown)} - set(grown)
        self.changes.change({**{name: value for name, value in self.changes.value.items() if name not in others},
                             **grown})

    def set_types(self, names: Sequence[str], kind: str) -> None:
        """Read columns as a type; "" leaves it to be found out."""
        kept = [pair for pair in self.changes.value.get("types", []) if pair[0] not in names]
        self.say(types=[*kept, *([name, kind] for name in names)] if kind else kept)

    def look_at(self, sources: Sequence[Source]) -> None:
        """Preview other sources under the same options."""
        self.sources = tuple(sources)

    async def refresh(self) -> None:
        """Preview the sources as they would be read now; a preview that is still being made is stopped."""
        self._stop.set()
        self._stop = stop = threading.Event()
        self._asked += 1
        asked, closing = self._asked, current().closing
        self.busy.value = True
        found: ImportPreview | None = None
        problem: MldeskError | None = None
        try:
            found = await in_thread(lambda: self._look(lambda: stop.is_set() or closing.is_set()))
        except MldeskError as error:
            problem = error
        if asked == self._asked and not stop.is_set():
            self.problem.value, self.preview.value = problem, found
            self.busy.value = False

    def stop(self) -> None:
        """Stop what is being read."""
        self._stop.set()

    def _look(self, cancelled: Any) -> ImportPreview:
        from mldesk.data import ImportOptions

        service = self._desk.workbench.datasets
        options = ImportOptions.from_json(self.changes.value)
        if self.text:
            return service.preview_text(self.text, options=options, rows=ROWS, cancelled=cancelled)
        if not self.sources:
            raise BadInput("There is no file to import.")
        return service.preview_import(self.sources, options=options, rows=ROWS, cancelled=cancelled)


def _grown(before: Any, value: Any) -> list[Any]:
    """Return the list with more in it; a type said again replaces the one before."""
    names = {item[0] for item in value if isinstance(item, (list, tuple))}
    return [*(item for item in before if not (isinstance(item, (list, tuple)) and item[0] in names)
              and item not in value), *value]
