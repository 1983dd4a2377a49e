"""``Exec`` over a connection of mldesk.runners.ssh: whatever the login shell is, and whatever it prints.

The command that goes to the login shell is one plain line which sh, bash, zsh, csh and fish read alike. It takes the
script from stdin, byte by byte (no shell may read ahead into the data behind it), and marks where the script's own
output begins and ends, with its exit code, in a form that the script itself does not hold.
"""

from __future__ import annotations

from dataclasses import replace

from mldesk.core.errors import RunnerUnreachable
from mldesk.runners.provision.execution import MAX_OUTPUT, Ran
from mldesk.runners.ssh.stream import ByteStream, Connection, StreamEnded, closing_after
from mldesk.wire.banner import MAX_NOISE, new_word

_LAST_WORDS = 2.0   # seconds that a script which failed has to say why


class SshExec:
    """Scripts on the host of one connection, which the caller opens and closes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def run(self, script: str, stdin: bytes | None = None, timeout: float = 60.0) -> Ran:
        word = new_word()
        whole = _marked(script, word).encode()
        stream = self._connection.open_exec(f"exec sh -c 'eval \"$(dd bs=1 count={len(whole)} 2>/dev/null)\"'")
        try:
            with closing_after(stream, timeout):
                _send(stream, whole + (stdin or b""))
                out = _read(stream, f"\nmldesk-end-{word} ".encode())
            begun = f"mldesk-begin-{word}\n".encode() in out
            answer = _answer(out, word)
            return replace(answer, stderr=_complaint(stream)) if answer.status else answer
        except _NoAnswerError as error:
            raise self._why(stream, begun) from error
        finally:
            stream.release()

    def _why(self, stream: ByteStream, begun: bool) -> RunnerUnreachable:
        why = self._connection.explain(stream)  # the system's ssh says only now why it failed
        if why is not None:
            return why
        said = stream.complaint
        if not begun:
            return RunnerUnreachable(
                "The login shell there did not run what it was asked" + (f": {said[-300:]}" if said else "."),
                hint="`ssh HOST true` should print nothing and end at once; an account whose shell is no shell, or "
                "whose start-up files print without end or exit, cannot be a runner.")
        return RunnerUnreachable("The machine did not finish what it was asked" + (f": {said[-300:]}" if said else "."),
                                 hint="Try again; what was done is kept.")


class _NoAnswerError(Exception):
    """The end mark did not come."""


def _marked(script: str, word: str) -> str:
    return (f"printf '\\n%s-%s\\n' mldesk-begin {word}\n(\ncd \"$HOME\" || exit 125\n{script}\n)\n"
            f"printf '\\n%s-%s %d\\n' mldesk-end {word} \"$?\"\n")


def _send(stream: ByteStream, data: bytes) -> None:
    try:
        stream.write(data)
        stream.finish()
    except StreamEnded:
        return  # a script may end without reading all; what it said is still to be read


def _read(stream: ByteStream, end: bytes) -> bytes:
    """Read until the end mark's line is whole, or the stream ends, or it says far too much."""
    seen = bytearray()
    at = -1
    while len(seen) < MAX_NOISE + MAX_OUTPUT:
        data = stream.read(65536)
        if not data:
            break
        seen += data
        if at < 0:
            at = seen.find(end, max(0, len(seen) - len(data) - len(end)))
        if at >= 0 and seen.find(b"\n", at + 1) >= 0:
            break
    return bytes(seen)


def _complaint(stream: ByteStream) -> str:
    """Return why a script failed. Its stderr is a way of its own, and may be behind the mark of its end."""
    with closing_after(stream, _LAST_WORDS):
        while stream.read(65536):
            pass
        stream.wait(_LAST_WORDS)
    return stream.complaint


def _answer(out: bytes, word: str) -> Ran:
    begin, end = f"\nmldesk-begin-{word}\n".encode(), f"\nmldesk-end-{word} ".encode()
    start, stop = (b"\n" + out).find(begin), out.rfind(end)
    if start < 0 or stop < 0:
        raise _NoAnswerError
    status = out[stop + len(end):].split(b"\n")[0]
    if not status.isdigit() or len(status) > 3:
        raise _NoAnswerError
    return Ran(int(status), out[start + len(begin) - 1:stop][:MAX_OUTPUT], "")
