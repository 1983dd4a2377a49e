"""From which probability on a row is called a class, where that is not whichever class is most probable.

A person sets it for a version of a model. In a bundle, and in models that came in one, it is ``threshold.json``:
``{"format": 1, "class": "yes", "at": 0.3}``. A row that does not reach it is called the most probable other class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from mldesk.bundles.documents import parse_object
from mldesk.bundles.names import THRESHOLD
from mldesk.core import canonical
from mldesk.core.errors import BadBundle, BadInput

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Threshold:
    """One class and the probability that it needs."""

    label: str | int | float | bool
    at: float                        # above 0, at most 1

    @classmethod
    def chosen(cls, classes: Sequence[str | int | float | bool], at: float, label: object = None) -> Self:
        """Return the threshold of a class, by itself or as a person writes it; None: the second of two.

        Raises BadInput.
        """
        if not classes:
            raise BadInput("A model of numbers has no threshold.", hint="Only one that tells classes apart has.")
        if label is None and len(classes) != 2:
            raise BadInput(f"There are {len(classes)} classes: say of which one the threshold is.",
                           hint="For example: --class " + str(classes[-1])[:40])
        found = classes[-1] if label is None else next((item for item in classes if str(item) == str(label)), None)
        if found is None:
            shown = ", ".join(str(item)[:40] for item in classes[:8])
            raise BadInput(f"The model knows no class {str(label)[:60]!r}.", hint=f"It knows: {shown}.")
        if not 0 < at <= 1:
            raise BadInput(f"A threshold of {at:g} cannot be: it is a probability above 0, at most 1.",
                           hint="0.5 is what two classes have without one.")
        return cls(found, at)

    def codes(self, classes: Sequence[Any], probabilities: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Return the number of the class each row is called, (N,), of (N, C) probabilities."""
        place = classes.index(self.label)
        others = np.asarray(probabilities, np.float64).copy()
        others[:, place] = -1.0
        called: npt.NDArray[np.int64] = np.where(probabilities[:, place] >= self.at, place, others.argmax(1))
        return called

    def in_words(self) -> str:
        return f"A row is called {self.label} from a probability of {self.at:g} on, as was set for this model."

    def to_json(self) -> dict[str, Any]:
        return {"class": self.label, "at": self.at}

    def to_bytes(self) -> bytes:
        return canonical.dumps({"format": FORMAT, **self.to_json()})

    @classmethod
    def from_bytes(cls, data: bytes, classes: Sequence[Any]) -> Self:
        """Read ``threshold.json``, a stranger's words. Raises BadBundle with the reason."""
        facts = parse_object(data, THRESHOLD)
        at = facts.get("at")
        if facts.get("format") != FORMAT:
            raise BadBundle(f"This bundle's threshold is written in format {facts.get('format')!r:.20}; "
                            f"format {FORMAT} is known.", hint="Upgrade MLDesk to use it.")
        if not isinstance(at, (int, float)) or isinstance(at, bool) or facts.get("class") not in classes:
            raise BadBundle("This bundle's threshold is of no class of its model.")
        try:
            return cls.chosen(classes, float(at), facts["class"])
        except BadInput as error:
            raise BadBundle(f"This bundle's threshold cannot be used: {error.message}") from error
