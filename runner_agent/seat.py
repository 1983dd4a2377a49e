"""Where a job runs: a processor slot, or a share of one graphics card. Written into its folder before it starts."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

NAME = "seat.json"


@dataclass(frozen=True, slots=True)
class Seat:
    """What one attempt of a job was given."""

    kind: Literal["cpu", "gpu"]
    index: int             # of the card as its driver counts, or of the processor slot
    uuid: str = ""         # of the card
    name: str = ""         # of the card
    memory: int = 0        # bytes of the card that the job asked for

    def environment(self) -> dict[str, str]:
        """Return what makes a trainer see its card and no other; see mldesk.training.run."""
        return {"CUDA_VISIBLE_DEVICES": self.uuid}

    def told(self) -> dict[str, Any]:
        """Return what the journal says of it."""
        on_card = self.kind == "gpu"
        return {"device": self.name if on_card else "cpu", "card": self.index if on_card else None}


def keep(folder: Path, attempt: int, seat: Seat) -> None:
    """Write down which seat an attempt has. Whole or not at all, but not synced: no seat outlives the machine's run.

    Raises OSError.
    """
    draft = folder / f".{NAME}.tmp"
    draft.write_text(json.dumps({"attempt": attempt, **asdict(seat)}), "utf-8")
    os.replace(draft, folder / NAME)


def kept(folder: Path, attempt: int) -> Seat | None:
    """Return the seat of an attempt; None when it has none yet, or an older agent started it."""
    try:
        value = json.loads((folder / NAME).read_bytes())
        if value.pop("attempt") != attempt:
            return None
        return Seat(**value)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
