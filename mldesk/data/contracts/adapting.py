"""A contract as it stands for a version that recipes made of the one it was made for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mldesk.data.contracts.contract import ColumnRule, Contract
from mldesk.data.recipes.tracing import Trace
from mldesk.wire.schema import Column


def adapted(contract: Contract, found: Trace, before: Sequence[Column],
            after: Sequence[Column]) -> tuple[Contract, tuple[str, ...]]:
    """Return the contract for the columns ``after`` the steps, and those of them whose values are others or new.

    Columns that came through keep their rules, also under another name; those that are others are asked for their type
    only, until somebody says more; rules about columns that are gone are left out.
    """
    rules = {rule.name: rule for rule in contract.columns}
    known = {column.name for column in before} | {column.name for column in after}
    made: list[ColumnRule] = []
    changed: list[str] = []
    for column in after:
        origin = found.origins.get(column.name)
        if origin is None:
            made.append(ColumnRule(column.name, column.type))
            changed.append(column.name)
        elif origin in rules:
            rule = rules[origin]
            made.append(replace(rule, name=column.name, unique=rule.unique and not found.repeats))
    made += [rule for rule in contract.columns if rule.name not in known]  # of columns that files may have
    return replace(contract, columns=tuple(made)), tuple(changed)
