"""Text files as UTF-8: find out what a file is written in, and write it anew in UTF-8 where it is something else."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from mldesk.core.durable import disk_errors
from mldesk.data.records import Fix, ImportRefused, Problems
from mldesk.data.sources.encoding_guess import guess

PIECE = 4 * 1024 * 1024          # bytes read at once
_SAMPLE = 64 * 1024              # bytes of lines with letters beyond ASCII that the guess looks at
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
         (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_BEYOND_ASCII = re.compile(rb"[^\r\n]{0,400}[\x80-\xff][^\r\n]{0,400}")
_CONTROL = bytes(range(1, 9)) + bytes(range(14, 26)) + bytes(range(28, 32))
Step = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Text:
    """A file of UTF-8 (perhaps with a byte order mark) and what was counted while reading it."""

    path: Path
    encoding: str     # what the source was written in
    lines: int        # physical lines; a last one without an end counts
    quotes: int       # characters that stand around cells


class Counter:
    """Counts lines and quotes over pieces of bytes."""

    def __init__(self, quote: str = '"') -> None:
        self._quote = quote.encode()
        self.quotes = self.ends = 0
        self._last = b""
        self.nul_line: int | None = None    # the first line with a NUL
        self.bad_line: int | None = None    # the first line with the mark for what could not be read

    @property
    def lines(self) -> int:
        return self.ends + (self._last not in (b"", b"\n", b"\r"))

    def see(self, piece: bytes) -> None:
        if not piece:
            return
        if self.nul_line is None and b"\0" in piece:
            self.nul_line = self.ends + 1 + line_ends(piece[:piece.index(b"\0")])
        self.quotes += count_byte(piece, self._quote) if self._quote else 0
        self.ends += line_ends(piece) - (self._last == b"\r" and piece[:1] == b"\n")
        self._last = piece[-1:]


def as_utf8(source: Path, target: Path, problems: Problems, encoding: str | None, step: Step, name: str,
            quote: str = '"') -> Text:
    """Return ``source`` as UTF-8: itself where it is, else written to ``target``. ``name`` is what the user calls it.
    ``quote`` is the ASCII character that is counted.

    Raises ImportRefused for a file that is not text, DiskFull.
    """
    head = head_bytes(source)
    given = encoding is not None
    encoding = _known(encoding) if encoding is not None else encoding_by_mark(head)
    counter, sample = Counter(quote), b""
    if encoding in (None, "utf-8"):
        bad_line, sample, good, bad = _check_utf8(source, counter, step)
        if bad_line is None and counter.nul_line is None:
            return Text(source, "utf-8", counter.lines, counter.quotes)
        if encoding is None and bad_line is None:
            encoding = "utf-8"
        elif encoding is None:
            _refuse_binary(head, name)
            encoding = "utf-8" if good >= 10 * bad else guess(sample)
        if encoding == "utf-8" and bad_line is not None:
            problems.add("lines with bytes that are not UTF-8", f"Line {bad_line} holds bytes that are not UTF-8; they "
                         "were replaced by \ufffd there and wherever else they occur.", line=bad_line,
                         fix=_other_encoding(sample, "utf-8"))
    if not given and not str(encoding).startswith("utf"):
        problems.add("guesses", f"The text is not UTF-8; it was read as {encoding}, which is a guess. If letters look "
                     "wrong, choose the encoding.", fix=_other_encoding(sample, str(encoding)))
    counted = _transcode(source, target, str(encoding), step, name, quote, guessed=not given)
    if counted.bad_line is not None and encoding != "utf-8":
        problems.add("lines with bytes that cannot be read", f"Line {counted.bad_line} holds bytes that are not "
                     f"{encoding}; they were replaced by \ufffd there and wherever else they occur.",
                     line=counted.bad_line, fix=_other_encoding(sample, str(encoding)))
    nul_line = counted.nul_line
    if nul_line is not None:
        problems.add("NUL characters", f"Line {nul_line} holds NUL characters; they were left out there and wherever "
                     "else they occur.", line=nul_line, fix="A NUL is no letter; nothing that could be read is lost.")
    return Text(target, str(encoding), counted.lines, counted.quotes)


def _other_encoding(sample: bytes, known: str) -> Fix:
    """Return another encoding to try on what is not as ``known`` has it."""
    other = next(name for name in (*([guess(sample)] if sample else []), "cp1252", "latin-1") if name != known)
    return Fix(f"Read it as {other}", {"encoding": other})


def head_bytes(path: Path) -> bytes:
    """Return the beginning of a file."""
    with open(path, "rb") as file:
        return file.read(_SAMPLE)


def _known(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
        b"text".decode(name, "replace")  # what packs bytes, or turns letters around, is no encoding of a text
    except (LookupError, UnicodeError) as error:
        raise ImportRefused(f"There is no encoding {encoding!r:.40}.",
                            hint="Write for example utf-8, cp1252, latin-1, utf-16, euc-kr or shift_jis.") from error
    return "utf-8" if name == "utf-8-sig" else name


def encoding_by_mark(head: bytes) -> str | None:
    """Return the encoding that a byte order mark, or the NULs of unmarked UTF-16, tell of."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if len(head) >= 4 and max(even, odd) > 0.4 * len(head) / 2 and min(even, odd) < 0.05 * len(head) / 2:
        return "utf-16-be" if even > odd else "utf-16-le"
    return None


def _refuse_binary(head: bytes, name: str) -> None:
    if len(head.translate(None, _CONTROL)) < 0.95 * len(head) or head.count(0) > 0.05 * len(head):
        raise ImportRefused(f"{name} is not text: it holds binary data.",
                            hint="MLDesk reads CSV, TSV, JSON, JSON lines, Excel and Parquet files.")


def _pieces(path: Path, step: Step) -> Iterator[bytes]:
    with open(path, "rb") as file:
        while piece := file.read(PIECE):
            yield piece
            step(len(piece))


def _check_utf8(path: Path, counter: Counter, step: Step) -> tuple[int | None, bytes, int, int]:
    """Read the file once. Returns the first line that is not UTF-8, lines beyond ASCII, good and bad characters."""
    strict = codecs.getincrementaldecoder("utf-8")("strict")
    lenient = codecs.getincrementaldecoder("utf-8")("replace")
    bad_line: int | None = None
    sample, good, bad = b"", 0, 0
    for piece in _pieces(path, step):
        plain = piece.isascii()
        if bad_line is None and not (plain and not strict.getstate()[0]):
            try:
                strict.decode(piece)
            except UnicodeDecodeError as error:
                bad_line = counter.ends + 1 + line_ends(piece[:error.start])
        counter.see(piece)
        if not plain:
            text = lenient.decode(piece)
            bad += text.count("\ufffd")
            good += sum(map(len, re.findall(r"[^\x00-\x7f\ufffd]+", text)))
            if len(sample) < _SAMPLE:
                sample += b"\n".join(_BEYOND_ASCII.findall(piece))[:_SAMPLE - len(sample)]
    if bad_line is None:
        try:
            strict.decode(b"", final=True)
        except UnicodeDecodeError:
            bad_line, bad = counter.lines, bad + 1
    return bad_line, sample, good, bad


def _transcode(source: Path, target: Path, encoding: str, step: Step, name: str, quote: str, *,
               guessed: bool) -> Counter:
    """Write the text as UTF-8 without mark and NULs; count as it is written (NULs before they go).

    What a guessed encoding cannot read is replaced; what a chosen or marked one cannot read is refused.
    """
    lenient = encoding == "utf-8" or (guessed and not encoding.startswith("utf"))
    decoder = codecs.getincrementaldecoder("utf-8-sig" if encoding == "utf-8" else encoding)(
        "replace" if lenient else "strict")
    counter = Counter(quote)
    try:
        with disk_errors(f"reading {name}"), open(target, "wb") as out:
            for piece in chain(_pieces(source, step), (b"",)):
                text = decoder.decode(piece, final=not piece)
                if lenient and counter.bad_line is None and "\ufffd" in text:
                    counter.bad_line = counter.ends + 1 + line_ends(text[:text.index("\ufffd")].encode())
                data = text.encode("utf-8", "replace")
                counter.see(data)
                out.write(data.replace(b"\0", b""))
    except UnicodeError as error:
        read = error.object[:error.start] if isinstance(error, UnicodeDecodeError) else b""
        line = counter.ends + 1 + line_ends(read)
        raise ImportRefused(f"{name} is not written in {encoding}: line {line} cannot be read.",
                            hint="Choose another encoding, or leave it to be found out.") from error
    return counter


def line_ends(data: bytes | memoryview) -> int:
    """Return how many lines end in the bytes: by a line feed, a carriage return, or both."""
    ends = count_byte(data, b"\n")
    carriage = count_byte(data, b"\r")
    if carriage:
        seen = np.frombuffer(data, np.uint8)
        carriage -= int(np.count_nonzero((seen[:-1] == ord("\r")) & (seen[1:] == ord("\n"))))
    return ends + carriage


def count_byte(data: bytes | memoryview, byte: bytes) -> int:
    """Return how often a byte occurs; five times as fast as ``bytes.count`` is where it occurs often."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == byte[0]))
