"""Intervals are written with as many digits as their width is worth."""

from __future__ import annotations

import math

import pytest

from mldesk.core.spans import span


@pytest.mark.parametrize(("low", "high", "written"), [
    (-0.03682, 0.0004834, ("-0.0368", "+0.0005")), (-1234.5, 8765.4, ("-1,234", "+8,765")),
    (-0.004, 0.0, ("-0.00400", "+0.00000")), (0.5, 0.5, ("+0.5", "+0.5")), (-1e-9, 1e-9, ("-0.00000000100",
                                                                                      "+0.00000000100")),
    (-math.inf, 2.0, ("-inf", "+2"))])
def test_both_ends_have_the_digits_of_the_width(low: float, high: float, written: tuple[str, str]) -> None:
    assert span(low, high) == written
