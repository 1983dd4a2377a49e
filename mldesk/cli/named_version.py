"""Commands that ask for a name and a version's number take both as one word, too: ``NAME@V``, as all others do."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand


class NamedVersion(TyperCommand):
    """A command whose first two arguments are a name and a number."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take ``NAME@V`` apart before the arguments are read."""
        valued = {word for item in self.params if item.param_type_name == "option" and not getattr(item, "is_flag", 0)
                  for word in item.opts}
        return super().parse_args(ctx, _apart(args, valued))


def _apart(arguments: list[str], valued: set[str]) -> list[str]:
    """Return the arguments with the first that is no option, nor the value of one in ``valued``, taken apart."""
    before = ""
    for index, word in enumerate(arguments):
        if before not in valued and (before == "--" or not word.startswith("-")):
            name, _, number = word.rpartition("@")
            parts = [name, number] if name and number.isdecimal() else [word]
            return [*arguments[:index], *parts, *arguments[index + 1:]]
        before = word
    return arguments
