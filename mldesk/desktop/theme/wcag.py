"""Arithmetic on ``#rrggbb`` colours: mixing, and the contrast that WCAG asks for. Knows no Qt."""

from __future__ import annotations


def channels(colour: str) -> tuple[int, int, int]:
    """Return red, green, blue in 0..255 of ``#rrggbb``. Raises ValueError."""
    if len(colour) != 7 or colour[0] != "#":
        raise ValueError(f"{colour!r} is not #rrggbb")
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def mix(over: str, under: str, share: float) -> str:
    """Return ``over`` laid on ``under`` with opacity ``share`` (0..1)."""
    pairs = zip(channels(over), channels(under), strict=True)
    return "#" + "".join(f"{round(top * share + bottom * (1 - share)):02x}" for top, bottom in pairs)


def luminance(colour: str) -> float:
    """Return the relative luminance (0 black to 1 white) as WCAG 2 defines it."""
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
              for value in (channel / 255 for channel in channels(colour))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
