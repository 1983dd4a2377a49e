"""The catalogue's networks: how each is designed from its parameters. ``torch_fit`` trains them."""

from __future__ import annotations

from typing import Any

from mldesk.core.errors import BadInput
from mldesk.training.estimators.base import FitContext
from mldesk.training.estimators.columns import describe
from mldesk.training.estimators.torch_fit import TorchNet

_MEMBERS = ((2_000, 32), (10_000, 16))   # up to so many rows, so many members; beyond, _FEWEST
_FEWEST = 8
_HEADS = 4
_MOST_TOKENS = 500


class Mlp(TorchNet):
    """Residual blocks over embedded columns."""

    def design(self, context: FitContext) -> dict[str, Any]:
        given = context.parameters
        return {"kind": "residual", "width": given["width"], "blocks": given["blocks"], "dropout": given["dropout"],
                **describe(context.train.x, context.categorical, context.classes or 1, given["number_embedding"])}


class TabM(TorchNet):
    """Many networks in one."""

    def design(self, context: FitContext) -> dict[str, Any]:
        given = context.parameters
        return {"kind": "tabm", "width": given["width"], "blocks": given["blocks"], "dropout": given["dropout"],
                "members": given["members"] or _members(len(context.train)),
                **describe(context.train.x, context.categorical, context.classes or 1, given["number_embedding"])}


class FtTransformer(TorchNet):
    """Columns that attend to one another."""

    def design(self, context: FitContext) -> dict[str, Any]:
        given, columns = context.parameters, context.train.x.shape[1]
        if columns > _MOST_TOKENS:
            raise BadInput(f"A transformer weighs every column against every other, and these are {columns}; "
                           f"{_MOST_TOKENS} are as many as it takes.",
                           hint="Choose another neural network, or fewer columns.")
        width = given["width"] // _HEADS * _HEADS
        return {"kind": "ft_transformer", "width": width, "blocks": given["blocks"], "dropout": given["dropout"],
                "heads": _HEADS, **describe(context.train.x, context.categorical, context.classes or 1, width, width)}


def _members(rows: int) -> int:
    """Return more members where data are few: there the mean of many helps most, and costs least."""
    return next((members for most, members in _MEMBERS if rows <= most), _FEWEST)
