"""Statistics of tables against scipy, pandas and scikit-learn."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from mldesk.data import Table, import_table
from mldesk.data.parts import part_paths
from mldesk.data.records import ImportCancelled
from mldesk.data.statistics.associations import associations, cramers_v, spearman
from mldesk.data.statistics.charting import chart, valued, within
from mldesk.data.statistics.exploring import explore
from mldesk.data.statistics.gaps import gaps
from mldesk.data.statistics.outliers import outliers
from mldesk.data.statistics.power import auc, binned, power
from mldesk.data.statistics.repeats import repeats
from mldesk.data.statistics.targeting import target_view
from mldesk.data.view import TableView
from mldesk.wire.objects import ObjectStore
from tests.data.conftest import Import


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    draw = np.random.default_rng(7)
    rows = 3000
    a = draw.normal(1e6, 2.0, rows)  # far from zero, where sums of squares lose their digits
    city = draw.choice(["Lyon", "Oslo", "Riga"], rows, p=[0.5, 0.3, 0.2])
    found = pd.DataFrame({
        "a": a, "b": (a - 1e6) ** 3 + draw.normal(0, 1, rows), "c": draw.exponential(3, rows).round(3),
        "city": city, "kind": np.where(draw.random(rows) < 0.8, city, "none"), "flag": draw.random(rows) < 0.3,
        "n": np.where(city == "Oslo", 5, 0) + draw.integers(0, 4, rows)})
    found.loc[draw.random(rows) < 0.1, ["c", "kind"]] = None
    found.loc[draw.random(rows) < 0.05, "b"] = None
    return found


@pytest.fixture
def table(frame: pd.DataFrame, take: Import) -> Table:
    return take(frame.to_csv(index=False))


def by_pair(found: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(pair["a"], pair["b"]): pair for pair in found["pairs"]}


def test_numbers_go_together_as_pandas_says(frame: pd.DataFrame, table: Table, store: ObjectStore) -> None:
    found = by_pair(associations(part_paths(store, table.manifest), table.columns))
    numbers = ["a", "b", "c", "n"]
    for i, first in enumerate(numbers):
        for second in numbers[i + 1:]:
            pair = found[first, second]
            assert pair["value"] == pytest.approx(frame[first].corr(frame[second]), abs=1e-9)
            assert pair["spearman"] == pytest.approx(frame[first].corr(frame[second], method="spearman"), abs=1e-9)
            assert pair["n"] == len(frame[[first, second]].dropna())


def test_categories_go_together_as_scipy_says(frame: pd.DataFrame, table: Table, store: ObjectStore) -> None:
    found = by_pair(associations(part_paths(store, table.manifest), table.columns))
    counts = pd.crosstab(frame["city"], frame["kind"]).to_numpy()
    n, (rows, columns) = counts.sum(), counts.shape
    phi2 = stats.chi2_contingency(counts, correction=False).statistic / n
    corrected = max(0.0, phi2 - (rows - 1) * (columns - 1) / (n - 1))
    least = min(rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)) - 1
    assert found["city", "kind"]["value"] == pytest.approx(math.sqrt(corrected / least))
    assert stats.contingency.association(counts, method="cramer") > found["city", "kind"]["value"]
    assert found["city", "flag"]["value"] < 0.05  # nothing to do with one another, and the bias is taken off


def test_a_number_and_a_category_go_together_as_the_variance_explained_says(frame: pd.DataFrame, table: Table,
                                                                            store: ObjectStore) -> None:
    found = by_pair(associations(part_paths(store, table.manifest), table.columns))
    groups = [part["n"].to_numpy() for _, part in frame.groupby("city")]
    f = stats.f_oneway(*groups).statistic
    between, within = len(groups) - 1, len(frame) - len(groups)
    assert found["city", "n"]["value"] ** 2 == pytest.approx(f * between / (f * between + within))


def test_what_cannot_be_compared_is_said() -> None:
    assert math.isnan(cramers_v(np.array([[4.0, 5.0]])))
    assert np.isnan(spearman(np.array([[1.0, 1.0], [1.0, 2.0]]))[0, 1])


def test_constants_and_ids_are_left_out_with_the_reason(take: Import, store: ObjectStore) -> None:
    table = take("a,b,c\n" + "".join(f"1,name {row},{row % 3}\n" for row in range(300)))
    found = associations(part_paths(store, table.manifest), table.columns)
    assert {item["column"] for item in found["left_out"]} == {"a", "b"}
    assert "300 different" in found["left_out"][1]["why"]


def test_what_is_missing_together(frame: pd.DataFrame, table: Table, store: ObjectStore) -> None:
    found = gaps(part_paths(store, table.manifest), table.columns)
    holes = frame[["c", "kind", "b"]].isna()
    counts = holes.value_counts()
    assert found["complete"] == counts[False, False, False]
    patterns = {frozenset(item["columns"]): item["rows"] for item in found["patterns"]}
    assert patterns[frozenset({"c", "kind"})] == counts[True, True, False]
    assert found["together"][0]["correlation"] == pytest.approx(1.0)
    pair = next(item for item in found["together"] if {item["a"], item["b"]} == {"b", "c"})
    assert pair["correlation"] == pytest.approx(holes["b"].corr(holes["c"]), abs=1e-9)
    with TableView(store, table.manifest, table.columns) as view:
        assert view.count(where=found["patterns"][0]["where"]) == found["patterns"][0]["rows"]


def test_outliers_by_fences_and_by_robust_scores(frame: pd.DataFrame, table: Table, store: ObjectStore) -> None:
    found = {item["name"]: item for item in outliers(part_paths(store, table.manifest), table.columns)["columns"]}
    c = frame["c"].dropna()
    low, high = c.quantile(0.25) - 1.5 * stats.iqr(c), c.quantile(0.75) + 1.5 * stats.iqr(c)
    assert (found["c"]["below"], found["c"]["above"]) == ((c < low).sum(), (c > high).sum())
    scores = (c - c.median()).abs() / stats.median_abs_deviation(c, scale=0.6745)
    assert found["c"]["robust"] == (scores > 3.5).sum()
    assert found["c"]["extremes"][0] == [int(frame["c"].idxmax()), frame["c"].max()]
    with TableView(store, table.manifest, table.columns) as view:
        assert view.count(where=found["c"]["where"]) == found["c"]["below"] + found["c"]["above"]


def test_rows_that_are_there_twice_nearly_twice_or_apart_in_one_column(take: Import, store: ObjectStore,
                                                                       scratch: Any) -> None:
    lines = [f"id{row},name {row % 30},{row * 1.5},{row % 7}" for row in range(60)]
    lines += ["id5,name 5,7.5,5", "x61,Nâme  9!,13.5,2", "x62,name 20,30.0,99"]
    table = take("id,name,size,kind\n" + "\n".join(lines))
    found = repeats(part_paths(store, table.manifest), table.columns, scratch)
    assert (found["same"]["rows"], found["same"]["examples"]) == (1, [[5, 60]])
    assert found["near"]["without"] == ["id"]
    assert [9, 61] in found["near"]["examples"]
    apart = {item["column"]: item for item in found["apart"]["columns"]}
    assert apart["kind"]["examples"] == [[20, 62]]
    assert list(scratch.iterdir()) == []


def test_bins_score_as_scikit_learn_says() -> None:
    draw = np.random.default_rng(1)
    codes, y = draw.integers(0, 6, 500), draw.integers(0, 2, 500)
    score = draw.random(6)
    yes, no = (np.bincount(codes[y == value], minlength=6).astype(float) for value in (1, 0))
    assert auc(score, yes, no) == pytest.approx(roc_auc_score(y, score[codes]))


def test_the_power_of_a_column_is_none_for_noise_and_all_for_a_copy() -> None:
    draw = np.random.default_rng(2)
    y = draw.integers(0, 3, 4000)
    assert (power(binned(draw.normal(size=4000)), y, 3) or 0) < 0.05
    assert (power(binned(y + 0.0), y, 3) or 0) > 0.999
    assert (power(binned(np.arange(4000.0)), draw.normal(size=4000), 0) or 0) < 0.05
    known = y[:10]
    assert power(binned(known + 0.0), known, 3) is None


def test_a_column_that_gives_the_target_away_is_named_first(take: Import, store: ObjectStore) -> None:
    draw = np.random.default_rng(3)
    paid = draw.random(800) < 0.4
    table = take("id,age,refund,paid\n" + "".join(
        f"k{row},{draw.integers(18, 90)},{'' if yes else 5},{'yes' if yes else 'no'}\n"
        for row, yes in enumerate(paid)))
    found = target_view(part_paths(store, table.manifest), table.columns, "paid", classes=True)
    assert found["balance"] == [["no", int((~paid).sum())], ["yes", int(paid.sum())]]
    assert (found["columns"][0]["name"], found["columns"][0]["suspicion"]) == ("refund", "leak")
    assert {item["name"]: item["suspicion"] for item in found["columns"]}["id"] is None
    assert found["columns"][0]["missing_power"] > 0.99
    age = next(item for item in found["columns"] if item["name"] == "age")
    assert [group["label"] for group in age["distribution"]["groups"]] == ["no", "yes"]


def test_charts_count_what_pandas_counts(frame: pd.DataFrame, table: Table, store: ObjectStore) -> None:
    with TableView(store, table.manifest, table.columns) as view:
        bars = chart(view, "bar", "city", None)
        assert dict(zip(bars["values"], bars["counts"], strict=True)) == frame["city"].value_counts().to_dict()
        means = chart(view, "bar", "city", "c")
        assert means["heights"][0] == pytest.approx(frame.groupby("city")["c"].mean()[means["values"][0]])
        histogram = chart(view, "histogram", "c", None, "city", where="a > 1000000")
        assert sum(sum(line["counts"]) for line in histogram["series"]) == histogram["rows"]
        assert histogram["rows"] == (frame["a"] > 1e6).mul(frame["c"].notna()).sum()
        box = chart(view, "box", None, "c", "city")
        assert box["groups"][0]["quantiles"][3] == pytest.approx(frame.groupby("city")["c"].median()[
            box["groups"][0]["name"]])
        points = chart(view, "scatter", "a", "c", "city")
        assert points["rows"] == len(points["row"]) == frame["c"].notna().sum()
        assert frame["c"][points["row"][17]] == points["y"][17]
        density = chart(view, "density", "a", "c")
        assert sum(map(sum, density["counts"])) == density["rows"] == points["rows"]
        heat = chart(view, "heat", "city", "kind")
        assert heat["counts"][heat["lines"].index("Oslo")][heat["columns"].index("Oslo")] == \
            ((frame["city"] == "Oslo") & (frame["kind"] == "Oslo")).sum()
        line = chart(view, "line", "a", "c")
        assert sum(line["counts"]) == line["rows"] == points["rows"]


def test_statistics_stop_when_asked(table: Table, store: ObjectStore, scratch: Any) -> None:
    with pytest.raises(ImportCancelled):
        explore(store, table.manifest, table.columns, cancelled=lambda: True, scratch=scratch)
    assert list(scratch.iterdir()) == []


def test_a_table_of_one_row_and_odd_names_has_statistics(take: Import, store: ObjectStore, scratch: Any) -> None:
    table = take('v,"g.x",x\n1,,a\n')
    found = explore(store, table.manifest, table.columns, scratch=scratch)
    assert found["associations"]["pairs"] == []
    assert found["repeats"]["same"]["rows"] == 0
    with TableView(store, table.manifest, table.columns) as view:
        for kind in ("histogram", "bar"):
            assert chart(view, kind, "v", None)["rows"] == 1


def test_the_parts_of_a_chart_are_the_rows_it_counted(take: Import, store: ObjectStore) -> None:
    table = take("when,n\n" + "".join(f"2024-01-0{day} 12:00:00,{day}\n" for day in range(1, 7)) + ",0\n")
    when, n = table.columns
    with TableView(store, table.manifest, table.columns) as view:
        low, high = 1704196800.0, 1704369600.0   # 2 and 4 January, noon
        assert [row[1] for row in view.rows(0, 9, where=within(when, low, high))] == [2, 3, 4]
        assert [row[1] for row in view.rows(0, 9, where=within(when, low, high, last=False))] == [2, 3]
        assert view.count(where=f"({valued(n, '3')}) AND ({within(n, 1, 5)})") == 1


def test_rows_of_a_wide_table_that_are_nearly_alike_or_apart_are_found_as_in_a_narrow_one(
        store: ObjectStore, scratch: Path) -> None:
    random = np.random.default_rng(3)
    values = random.normal(size=(40, 130)).round(6)
    columns = {f"x{place}": values[:, place] for place in range(130)}
    columns["word"] = np.array([f"Word {number % 9}" for number in range(40)])
    plain = repeated(columns, store, scratch)
    assert (plain["same"]["rows"], plain["near"]["rows"], plain["apart"]["columns"]) == (0, 0, [])
    for name in columns:
        columns[name][7] = columns[name][3]
    columns["word"][7] = columns["word"][3].upper()
    columns["x5"][9], columns["word"][9] = 1.0, columns["word"][8]
    for place in range(130):
        if place != 5:
            columns[f"x{place}"][9] = columns[f"x{place}"][8]
    found = repeated(columns, store, scratch)
    assert found["near"]["examples"] == [[3, 7]]
    assert {item["column"]: item["examples"] for item in found["apart"]["columns"]} == {
        "word": [[3, 7]], "x5": [[8, 9]]}


def repeated(columns: dict[str, Any], store: ObjectStore, scratch: Path) -> dict[str, Any]:
    """Return the repeats of a table with these columns."""
    source = scratch / "wide.parquet"
    source.parent.mkdir(exist_ok=True)
    pq.write_table(pa.table(columns), source)
    table = import_table([source], store, scratch / "work")
    return repeats(part_paths(store, table.manifest), table.columns, scratch)


def test_a_chart_of_two_numbers_is_two_bars_in_their_order(take: Import, store: ObjectStore) -> None:
    table = take("flag,y\n" + "".join(f"{int(row % 3 > 0)},{row}\n" for row in range(30)))
    with TableView(store, table.manifest, table.columns) as view:
        found = chart(view, "histogram", "flag", None)
    assert (found["values"], found["series"][0]["counts"]) == (["0", "1"], [10, 20])
