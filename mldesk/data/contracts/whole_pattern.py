"""Regular expressions (RE2's) that a whole text is to match."""

from __future__ import annotations

from collections.abc import Sequence


def _whole(pattern: str) -> str:
    return rf"\A(?:{pattern})\z"


def unreadable(pattern: str) -> str:
    r"""Say why RE2 cannot use a pattern, in its words ("missing ]: [a"); "" where it can.

    It must be one by itself, so that the reason is about what was written, and as it is used: ``\QFemale`` takes in
    what closes the group around it, ``a)(b`` closes it.
    """
    import pyarrow as pa  # slow to load
    import pyarrow.compute as pc

    for form in (pattern, _whole(pattern)):
        try:
            pc.match_substring_regex(pa.array([""]), form)
        except pa.ArrowInvalid as error:
            reason = str(error).removeprefix("Invalid regular expression: ")
            return reason if form == pattern else "it does not end what it begins"
    return ""


def unlike(pattern: str, texts: Sequence[tuple[int, str]]) -> list[int]:
    """Return the places of the texts, (place, text), that the whole pattern does not match."""
    import pyarrow as pa
    import pyarrow.compute as pc

    same = pc.match_substring_regex(pa.array([text for _, text in texts], pa.string()), _whole(pattern)).to_pylist()
    return [place for (place, _), good in zip(texts, same, strict=True) if not good]
