"""What --help shows, put right: paragraphs flow, and a switch has no type."""

from __future__ import annotations

from typing import Any


def tidy(command: Any) -> None:
    """Tidy a command and those below it, as ``typer.main.get_command`` made them.

    Typer breaks a paragraph where the docstring does, writes <bool> beside every switch, and <str> beside arguments
    that say themselves what they are.
    """
    if command.help:
        command.help = "\n\n".join(" ".join(paragraph.split()) for paragraph in command.help.split("\n\n"))
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            parameter.display_type_rich = _nothing
        else:
            _untyped(parameter)
    make = command.get_help_option
    command.get_help_option = lambda context: _untyped(make(context))
    for below in getattr(command, "commands", {}).values():
        tidy(below)


def _untyped(option: Any) -> Any:
    """Return an option, without a type if it is a switch."""
    if getattr(option, "is_flag", False) and option.metavar is None:
        option.metavar = ""
    return option


def _nothing(**_context: Any) -> None:
    """Stand for the type of an argument."""
