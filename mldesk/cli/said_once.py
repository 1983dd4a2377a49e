"""Commands whose options are said once: of one that is said twice nobody knows which was meant."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

from mldesk.core.errors import BadInput


class SaidOnce(TyperCommand):
    """A command that refuses an option with a value which is said again, unless it may be repeated."""

    def make_parser(self, ctx: Any) -> Any:
        """Have the parser look for options that were said twice, once it is through."""
        parser: Any = super().make_parser(ctx)
        parse = parser.parse_args

        def parse_args(args: list[str]) -> Any:
            found, rest, order = parse(args)
            for option in order:
                if order.count(option) > 1 and option.param_type_name == "option" and not option.multiple \
                        and not getattr(option, "is_flag", False):
                    raise BadInput(f"{option.opts[0]} was given {order.count(option)} times, and takes one value.",
                                   hint="Leave all but one of them out.")
            return found, rest, order

        parser.parse_args = parse_args
        return parser
