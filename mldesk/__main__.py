"""``python -m mldesk`` and the ``mldesk`` command: the window without arguments, else the command line.

``--version`` is answered before anything is imported, so that scripts may ask in the time of a bare interpreter.
"""

from __future__ import annotations

import gc
import signal
import sys

_YOUNG = 20_000   # new containers after which Python looks for garbage; by itself it does so after every few hundred


def main() -> None:
    """Run what the arguments ask for and leave with its exit code."""
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["-V"]):
        from mldesk import __version__

        sys.stdout.write(f"mldesk {__version__}\n")
        return
    gc.set_threshold(_YOUNG)   # what is imported is no garbage, and looking for some in it takes a tenth of the start
    try:
        from mldesk.cli.main import run  # typer costs more than the answer above

        code = run(arguments, open_window=_open_window)
    except KeyboardInterrupt:  # before or after the part that ends in a sentence
        code = 130
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is said and saved; a late Ctrl-C has nothing left to stop
    sys.exit(code)


def _open_window(home: str | None, gallery: bool) -> int:
    """Open the window; the command line and the window do not know one another, this module knows both."""
    from pathlib import Path

    from mldesk.desktop.main import run

    return run(None if home is None else Path(home), gallery=gallery)


if __name__ == "__main__":
    main()
