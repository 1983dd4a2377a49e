"""What rows to predict are held to: the rules of the dataset's contract about the columns that a model needs.

In a bundle it is ``contract.json``: ``{"format": 1, "dataset": "sales@2", "number": 3, "contract": {"columns": […]}}``,
the rules as ``mldesk.data.contracts`` writes them. How many rows there are, what a file is called, how much is missing,
which values occur twice, and the target do not matter to rows that are to be predicted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from mldesk.bundles.documents import parse_object
from mldesk.bundles.names import CONTRACT
from mldesk.core import canonical
from mldesk.core.errors import BadBundle, BadInput
from mldesk.data.contracts.contract import Contract
from mldesk.wire.schema import Column

FORMAT = 1


@dataclass(frozen=True, slots=True)
class RowContract:
    """Rules about some of a model's columns, and where they are from."""

    dataset: str         # name@version
    number: int          # of the dataset's contract
    contract: Contract

    @property
    def label(self) -> str:
        return f"contract {self.number} of {self.dataset.rpartition('@')[0] or self.dataset}"

    @classmethod
    def about(cls, columns: Sequence[Column], dataset: str, number: int, contract: Contract) -> Self | None:
        """Return what a dataset's contract asks of rows with these columns; None if it asks nothing."""
        names = {column.name for column in columns}
        rules = tuple(replace(rule, unique=False, missing=None) for rule in contract.columns if rule.name in names)
        return cls(dataset, number, Contract(rules, extra="allow")) if rules else None

    def broken_by(self, columns: Mapping[str, Sequence[Any]]) -> list[str]:
        """Return a sentence for each rule that the rows of a request, as columns of plain values, break."""
        from mldesk.data.contracts.rows import findings_of

        return [f"By {self.label}: {item.message[:-1]} (row {item.cells[0][0]:,})." for item in
                findings_of(self.contract, columns)]

    def to_bytes(self) -> bytes:
        return canonical.dumps({"format": FORMAT, "dataset": self.dataset, "number": self.number,
                                "contract": self.contract.to_json()})

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read ``contract.json``, a stranger's words. Raises BadBundle with the reason."""
        facts = parse_object(data, CONTRACT)
        if facts.get("format") != FORMAT:
            raise BadBundle(f"This bundle's contract is written in format {facts.get('format')!r:.20}; format {FORMAT} "
                            "is known.", hint="Upgrade MLDesk to use it.")
        dataset, number = facts.get("dataset"), facts.get("number")
        if not isinstance(dataset, str) or not 0 < len(dataset) <= 300 or not dataset.isprintable() or (
                not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 1 << 53):
            raise BadBundle("This bundle's contract does not say whose it is.")
        try:
            return cls(dataset, number, Contract.from_json(facts.get("contract")))
        except BadInput as error:
            raise BadBundle(f"This bundle's contract cannot be used: {error.message}") from error
