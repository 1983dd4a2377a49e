"""Pictures and histograms of event files as files of a run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from mldesk.training.event_files import Histogram, Picture

HISTOGRAMS = "histograms.json"   # {tag: [{"step", "edges", "counts"}, ...], ...}, steps growing
MOST_BYTES = 500_000_000         # of pictures in one run
MOST_PICTURES = 5_000
_MOST_TAGS = 500
_MOST_STEPS = 60                 # histograms of a tag that are kept; they are thinned out evenly
_MOST_BINS = 64


def picture_files(pictures: Iterable[Picture]) -> Iterator[tuple[str, bytes]]:
    """Give name and content of each picture: ``pictures/TAG/STEP.png``; of several of one step with their number."""
    for picture in pictures:
        parts = picture.tag.replace("\\", "/").split("/")
        tag = "/".join(part for part in parts if part.strip() not in ("", ".", ".."))
        more = f"-{picture.place + 1}" if picture.place else ""
        yield f"pictures/{tag or 'picture'}/{picture.step}{more}.{picture.kind}", picture.data


class Histograms:
    """Collects histograms as they come, and holds no more of a tag than can be looked at."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[int, Histogram]] = {}   # the last one of a step counts

    def add(self, found: Histogram, name: str | None = None) -> None:
        """Take one in, under its own tag or another name."""
        tag = name or found.tag
        if tag not in self._kept and len(self._kept) >= _MOST_TAGS:
            return
        steps = self._kept.setdefault(tag, {})
        steps[found.step] = found
        if len(steps) > 8 * _MOST_STEPS:
            self._kept[tag] = {step: steps[step] for step in sorted(steps)[::2]}

    def file(self) -> bytes | None:
        """Return all as JSON; None where there are none."""
        return json.dumps({tag: [_line(steps[step]) for step in _spread(sorted(steps))]
                           for tag, steps in self._kept.items()}).encode() if self._kept else None


def _spread(steps: list[int]) -> list[int]:
    """Return at most so many steps, evenly, the first and the last among them."""
    if len(steps) <= _MOST_STEPS:
        return steps
    return [steps[round(place * (len(steps) - 1) / (_MOST_STEPS - 1))] for place in range(_MOST_STEPS)]


def _line(found: Histogram) -> dict[str, object]:
    """Return one with at most so many bins: neighbours are put together."""
    size = -(-len(found.counts) // _MOST_BINS)
    edges = [*found.edges[:-1:size], found.edges[-1]]
    counts = [sum(found.counts[place:place + size]) for place in range(0, len(found.counts), size)]
    return {"step": found.step, "edges": edges, "counts": counts}
