"""The jump hosts of the system's ssh, written out so that each is held to the same settings and pins as the target.

ssh starts another ssh for each jump and gives it nothing of its own words but the file of settings, so the user's
known_hosts alone would count there. What is written here does what ProxyJump does, with our words for every hop.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence

from mldesk.core.errors import BadInput
from mldesk.runners.ssh.config import MOST_JUMPS, Target


def jumps_of(target: Target, settings_of: Callable[[Target], Mapping[str, str]]) -> tuple[Target, ...]:
    """Return the hosts on the way to a target, first the one that is dialled. ``settings_of`` is ``ssh -G``.

    As with ssh the list of the target counts, and only its first jump may have jumps of its own. None where ssh would
    get there by a command instead, or by words that only it can read. Raises BadInput for a circle.
    """
    way: list[Target] = []
    waiting = [target]
    while waiting:
        listed = settings_of(waiting[0]).get("proxyjump", "none")
        if listed.lower() == "none":
            return tuple(way)
        try:
            waiting = [Target.parse(item) for item in listed.split(",")]
        except BadInput:
            return ()
        way[:0] = waiting
        if len(way) > MOST_JUMPS:
            raise BadInput("~/.ssh/config leads through jump hosts in a circle.", hint="Look at its ProxyJump lines.")
    return tuple(way)


def through(jumps: Sequence[Target], line: Callable[[Target], Sequence[str]]) -> list[str]:
    """Return the words that lead ssh through these hosts; ``line`` gives what reaches one of them, up to its name.

    ssh reads ``%`` in a command once at each jump, and a shell its quotes.
    """
    if not jumps:
        return []
    *before, last = jumps
    words = [word.replace("%", "%%") for word in (*line(last)[:1], *through(before, line), *line(last)[1:])]
    return ["-o", f"ProxyCommand={shlex.join([words[0], '-W', '[%h]:%p', *words[1:]])}"]
