"""Every kind of step that a model does by itself, and how each is read back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mldesk.training.preparing import Binned, Clipped, Fill, Learnt, Placed, Scaled, Spread
from mldesk.training.preparing_groups import Aimed, GroupFilled, Rebalanced
from mldesk.training.preparing_rows import Neighboured
from mldesk.training.preparing_spaces import Reduced, Segmented

READERS: Mapping[str, Callable[[Mapping[str, Any]], Learnt]] = {
    kind.name: kind.from_json for kind in (Fill, Scaled, Clipped, Binned, Placed, Spread, Segmented, Reduced,
                                           GroupFilled, Neighboured, Aimed, Rebalanced)}
NEWER = (Reduced, GroupFilled, Neighboured, Aimed, Rebalanced)   # since format 2 of a preparation
OF_TARGET = (Aimed, Rebalanced)   # what training rows become is not what the same rows become later
