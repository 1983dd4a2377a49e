"""New rows against the training rows: what counts as a shift, and what does not."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy import stats

from mldesk.desktop.pages.models import drift_dialog
from mldesk.workbench import drift
from mldesk.workbench.drift_tests import beyond_chi_square, fisher
from mldesk.workbench.drifting import DriftReport


def test_the_same_numbers_have_not_shifted_and_moved_ones_have() -> None:
    draws = np.random.default_rng(1)
    before = draws.normal(size=2000)
    same, moved, few = draws.normal(size=1000), draws.normal(1.0, size=1000), draws.normal(0.4, size=8)
    assert drift.numbers("x", before, same).verdict == "stable"
    found = drift.numbers("x", before, moved)
    assert (found.verdict, found.psi > drift.MUCH) == ("much shifted", True)
    assert found.statistic == pytest.approx(stats.ks_2samp(before, moved).statistic)
    assert drift.numbers("x", before, few, columns=20).verdict == "too few rows"   # by chance alone, on eight rows


def test_a_few_rows_are_never_called_stable_but_may_have_shifted_for_sure() -> None:
    before = np.random.default_rng(7).normal(size=2000)
    for rows, verdict in ((1, "too few rows"), (5, "too few rows"), (30, "too few rows"), (500, "stable")):
        assert drift.numbers("x", before, before[:rows]).verdict == verdict
    assert drift.numbers("x", before, np.full(20, 50.0)).verdict == "much shifted"
    colours = Counter[str | None](red=60, blue=40)
    assert drift.categories("x", colours, Counter(red=2, blue=1)).verdict == "too few rows"
    report = DriftReport("m@1", "t@1", (2000, 5), (drift.numbers("x", before, before[:5]),))
    assert (report.shifted, report.too_few.startswith("5 rows are too few to tell")) == ((), True)
    assert DriftReport("m@1", "t@1", (2000, 30), ()).too_few == ""


def test_a_large_index_that_chance_may_make_is_not_called_stable() -> None:
    draws = np.random.default_rng(7)
    before, now = draws.normal(size=2000), draws.normal(0.25, size=60)
    unsure, level = drift.numbers("x", before, now, 20), drift.categories(
        "y", Counter[str | None](a=900, b=900), Counter[str | None](a=30, b=30), 20)
    assert unsure.psi > drift.LITTLE and (unsure.verdict, level.verdict) == ("too few rows", "stable")
    report = DriftReport("m@1", "t@1", (2000, 60), (unsure, level))
    assert report.too_few == ("60 rows are too few to say whether 'x' shifted: chance alone may make so large a "
                              "PSI.")
    assert drift_dialog.verdict(report)[:2] == ("info", "No column has shifted for sure.")


def test_numbers_that_go_missing_are_a_shift() -> None:
    before = np.arange(500.0)
    now = np.where(np.arange(500) % 2 == 0, np.nan, before)
    found = drift.numbers("x", before, now)
    assert (found.verdict, found.missing) == ("much shifted", (0.0, 0.5))
    assert drift.numbers("x", before, np.full(100, np.nan)).verdict == "much shifted"
    assert found.test == "missing" and found.p == pytest.approx(   # the test that p is of is the one that is named
        2 * stats.chi2_contingency([[500, 0], [250, 250]], correction=False).pvalue)


def test_the_index_is_what_its_definition_says() -> None:
    before, now = Counter[str | None](a=60, b=40), Counter[str | None](a=30, b=70)
    found = drift.categories("x", before, now)
    assert found.psi == pytest.approx((0.3 - 0.6) * np.log(0.3 / 0.6) + (0.7 - 0.4) * np.log(0.7 / 0.4))
    expected = stats.chi2_contingency([[60, 40], [30, 70]], correction=False)
    assert (found.statistic, found.p) == (pytest.approx(expected.statistic), pytest.approx(expected.pvalue))


def test_categories_never_seen_are_named() -> None:
    before = Counter[str | None]({"red": 90, "blue": 90, None: 20})
    found = drift.categories("x", before, Counter({"red": 50, "blue": 50, "violet": 90, None: 10}))
    assert (found.unseen, found.verdict, found.missing) == (("violet",), "much shifted", (0.1, 0.05))
    assert drift.categories("x", before, before).psi == 0.0


@pytest.mark.parametrize("freedom", [1, 2, 3, 7, 30, 31])
def test_chances_are_those_that_scipy_knows(freedom: int) -> None:
    for value in (0.0, 0.01, 1.0, 5.5, 30.0, 300.0, 5000.0):
        assert beyond_chi_square(value, freedom) == pytest.approx(stats.chi2.sf(value, freedom), abs=1e-12)


def test_the_chance_of_a_distance_is_the_asymptotic_one() -> None:
    draws = np.random.default_rng(2)
    before, now = draws.normal(size=4000), draws.normal(0.08, size=4000)
    expected = stats.ks_2samp(before, now, method="asymp").pvalue
    assert drift.numbers("x", before, now).p == pytest.approx(expected, rel=0.05)


def test_rare_categories_in_few_rows_are_no_shift_more_often_than_is_said() -> None:
    """Chi-square alone called up to one column in twenty shifted, of a hundred times fewer that were promised."""
    draws = np.random.default_rng(0)
    chances = 1 / np.arange(1, 41)
    chances /= chances.sum()
    before = Counter[str | None](draws.choice(40, 1000, p=chances).astype(str).tolist())
    for rows in (3, 5, 10, 30):
        now = (Counter[str | None](draws.choice(40, rows, p=chances).astype(str).tolist()) for _ in range(300))
        assert sum(drift.categories("x", before, item, 20).verdict.endswith("shifted") for item in now) <= 2, rows
    for rows in (3, 10):   # and a cell that is missing, of which training knew two in a thousand
        cells = np.append(draws.normal(size=998), [np.nan] * 2)
        few = np.append(draws.normal(size=rows - 1), np.nan)
        assert drift.numbers("x", cells, few, 20).verdict == "too few rows"
    found = drift.categories("x", before, Counter({"violet": 5}), 20)   # a real one shows in five rows
    assert (found.verdict, found.test) == ("much shifted", "exact") and found.statistic > 0.9


def test_the_exact_chance_is_the_one_that_scipy_knows() -> None:
    for before, now, rows, few in ((3, 2, 1000, 10), (0, 5, 1000, 5), (40, 0, 100, 20), (1, 1, 2, 2), (7, 3, 9, 30),
                                     (9000, 50_000, 100_000, 90_000)):
        tails = [stats.fisher_exact([[now, few - now], [before, rows - before]], alternative=way).pvalue
                 for way in ("less", "greater")]
        assert fisher(before, now, rows, few) == pytest.approx(min(1.0, 2 * min(tails)), rel=1e-6)


def test_the_rule_is_said_with_its_figures() -> None:
    rule = drift.rule(20)
    assert (rule["shifted_from_psi"], rule["much_shifted_from_psi"], rule["p_below"]) == (0.1, 0.25, 0.01 / 20)
    said = drift.rule_words(20)
    assert "0.1 or more" in said and "0.25 or more" in said and "below 0.0005" in said
