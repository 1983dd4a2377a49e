"""The cards of the gallery: each shows one family of widgets in all its states, with made-up data."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any, get_args

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QLineEdit, QRadioButton, QWidget

from mldesk.desktop import theme
from mldesk.desktop.theme import Space, icons
from mldesk.desktop.widgets import (
    Badge,
    Bar,
    BarChart,
    Card,
    Chart,
    ColumnProfileCard,
    ComboBox,
    DataTable,
    DecimalBox,
    EmptyState,
    FlowBox,
    FormRow,
    HeatMap,
    HistogramChart,
    IconLabel,
    LogView,
    PagedTableModel,
    PageHeader,
    ProgressLine,
    ReasonLine,
    ScatterChart,
    ScrollPage,
    SearchField,
    Segmented,
    Sparkline,
    SpinBox,
    Spinner,
    StateBadge,
    Switch,
    Tabs,
    disable,
    form_for,
    make_button,
    make_icon_button,
    make_label,
    row,
)
from mldesk.training.parameters import Parameter
from mldesk.wire.schema import Column, ColumnType, Order
from mldesk.wire.states import JobState


def page(title: str, subtitle: str, *cards: QWidget) -> ScrollPage:
    """Return a page of cards under one another."""
    made = ScrollPage()
    made.body.addWidget(PageHeader(title, subtitle))
    for one in cards:
        made.body.addWidget(one)
    made.body.addStretch(1)
    return made


def card(title: str, *items: Any, subtitle: str = "") -> Card:
    """Return a card of widgets under one another."""
    made = Card(title, subtitle)
    for item in items:
        made.add(item)
    return made


def _flow(*widgets: QWidget, spacing: int = Space.S, least: int = 0) -> FlowBox:
    box = FlowBox(spacing=spacing, least=least)
    for widget in widgets:
        box.add(widget)
    return box


# Controls.

def buttons_card() -> Card:
    """Buttons in every role, on, off and small."""
    off = make_button("Train", "primary", "play")
    disable(off, "Choose a target column first: Train predicts one column from the others.")
    ghost_off = make_button("Export", "secondary", "export")
    disable(ghost_off, "There is no model yet.")
    danger_off = make_button("Delete", "danger", "trash")
    disable(danger_off, "It is in use.")
    check = make_button("Log", "ghost")
    check.setCheckable(True)
    check.setChecked(True)
    return card(
        "Buttons",
        _flow(make_button("Train", "primary", "play"), make_button("Import", "secondary", "import"),
              make_button("Show log", "ghost", "log"), make_button("Delete", "danger", "trash"),
              make_button("Delete for good", "danger_fill"), make_button("Learn more", "link"), check),
        _flow(off, ghost_off, danger_off), ReasonLine(off),
        _flow(make_button("Small", "primary", "plus", small=True),
              make_button("Small", "secondary", "filter", small=True), make_button("Small", "ghost", small=True),
              make_icon_button("refresh", "Refresh"),
              make_icon_button("more", "More"), make_icon_button("columns", "Columns", checkable=True)))


def inputs_card() -> Card:
    """Inputs of every kind, right, wrong and off."""
    wrong = FormRow("Rows to keep", QLineEdit("many"), "How many rows the sample has.", "rows")
    wrong.set_error("Must be a whole number from 1 to 1,000,000.")
    off = QLineEdit("local")
    disable(off, "There is only this machine.")
    box = ComboBox([(1, "LightGBM"), (2, "Random forest"), (3, "Neural network")])
    checked, half, plain = QCheckBox("Checked"), QCheckBox("Partly"), QCheckBox("Not checked")
    checked.setChecked(True)
    half.setTristate(True)
    half.setCheckState(Qt.CheckState.PartiallyChecked)
    radio = QRadioButton("Chosen")
    radio.setChecked(True)
    grid = FlowBox(spacing=Space.L, least=theme.px(250))
    for entry in (FormRow("Name", QLineEdit("Churn, spring"), "Shown in the list of runs."), wrong,
                  FormRow("Runner", off, "Where it runs."), FormRow("Estimator", box, "What is fitted."),
                  FormRow("Seed", SpinBox(0, 99_999, 4211), "Same seed, same result."),
                  FormRow("Test share", DecimalBox(0.05, 0.5, 0.2, 0.05), "Rows kept for the test.", "of rows")):
        grid.add(entry)
    return card("Inputs", grid, SearchField("Search columns"),
                 _flow(checked, half, plain, radio, QRadioButton("Other"), Switch("Stop early", checked=True),
                       Switch("Use GPU"), spacing=Space.L))


def choices_card() -> Card:
    """Segments and tabs."""
    tabs = Tabs()
    for key, words in (("data", "Data"), ("columns", "Columns"), ("versions", "Versions"), ("used", "Used by")):
        tabs.add(key, words, make_label(f"The page “{words}”.", tone="muted"))
    tabs.set_enabled("used", "No model was trained on it yet.")
    segments = Segmented([("count", "Counts"), ("percent", "Percent")])
    return card("Segments and tabs", row(segments, Segmented([(1, "Step"), (2, "Time"), (3, "Epoch")], 2), None), tabs)


def badges_card() -> Card:
    """Badges in every tone, a badge for every state of a job."""
    tones = _flow(*[Badge(tone, tone) for tone in get_args(theme.Tone)])
    return card("Badges", tones, _flow(*[StateBadge.for_state(state) for state in JobState]))


def progress_card() -> Card:
    """Progress known and unknown, done and failed; spinners."""
    done, failed = ProgressLine(), ProgressLine()
    done.set(1.0, "Imported 48,842 rows", "in 1.2 s", "success")
    failed.set(0.62, "Import stopped", "", "danger")
    return card("Progress", ProgressLine(0.42, "about 2 min left", "Training · epoch 17 of 40"),
                 ProgressLine(None, "", "Preparing the data"), done, failed,
                 row(Spinner(16), Spinner(24), make_label("Working…", tone="muted"), None))


def icons_card() -> Card:
    """Every icon there is."""
    flow = FlowBox(spacing=Space.L)
    for name in icons.names():
        mark = IconLabel(name, "text", 20)
        mark.setToolTip(name)
        flow.add(mark)
    return card("Icons", flow)


def words_card() -> Card:
    """The type scale."""
    return card("Type", *[make_label(f"{role} — 1,234,567 rows", role) for role in (
        "display", "heading", "title", "subtitle", "strong", "body")],
        make_label("caption — when and by whom", "caption", "muted"),
        make_label("mono — step 120  loss 0.4312", "mono"))


# Forms.

PARAMETERS = (
    Parameter("learning_rate", "number", 0.05, "How much each tree adds; smaller needs more trees.", low=1e-4, high=1.0,
              log=True),
    Parameter("trees", "integer", 400, "Rounds of boosting at most; early stopping may end it sooner.", low=1,
              high=20_000, unit="trees"),
    Parameter("max_depth", "integer", None, "How deep a tree may grow.", low=1, high=64, nullable=True, unit="levels"),
    Parameter("loss", "choice", "log", "What training makes small.", choices=("log", "hinge", "focal")),
    Parameter("optimiser", "choice", "adamw", "How the weights are changed.",
              choices=("adamw", "sgd", "lion", "adafactor")),
    Parameter("early_stopping", "boolean", True, "Stop once the validation score no longer gets better."),
    Parameter("dropout", "number", 0.1, "Share of units left out at each step.", low=0, high=0.9, advanced=True),
    Parameter("weight_decay", "number", 1e-4, "Pull of the weights to zero.", low=0, high=1, advanced=True),
)


def form_card() -> Card:
    """A form made from parameters, as it is and with a refused value."""
    form = form_for(PARAMETERS)
    wrong = form_for(PARAMETERS[:3] + PARAMETERS[6:])
    wrong.set_values({"learning_rate": 7, "max_depth": 12, "dropout": 0.5})
    wrong.set_unfolded(True)
    return card("A form made from declared parameters", _flow(form, wrong, spacing=Space.XXL, least=theme.px(320)))


# Data.

_CITIES = ("Oslo", "Київ", "東京", "São Paulo", "Reykjavík", "القاهرة",
           "A very long place name that does not fit its cell at all")


class _Rows:
    def __init__(self, rows: Sequence[Sequence[Any]], total: int) -> None:
        self.rows, self.total = rows, total


def _sample_row(number: int) -> list[Any]:
    draw = random.Random(number)  # noqa: S311 - sample data
    return [number + 1, draw.choice(_CITIES), round(draw.gauss(52_000, 18_000), 2) if draw.random() > 0.08 else None,
            draw.random() < 0.3, f"2026-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}",
            draw.random() ** 8 if draw.random() > 0.4 else None]


COLUMNS = (Column("customer", ColumnType.INTEGER, 0, 1_000_000), Column("city", ColumnType.TEXT, 0, 7),
           Column("yearly_income_in_euro", ColumnType.NUMBER, 80_000, 612_345),
           Column("churned", ColumnType.BOOLEAN, 0, 2),
           Column("since", ColumnType.DATE, 0, 336), Column("risk", ColumnType.NUMBER, 400_000, 600_000))


def sample_model(total: int = 1_000_000) -> PagedTableModel:
    """A table of made-up rows."""
    def fetch(offset: int, limit: int, order: Order | None) -> _Rows:
        turned = order is not None and order[0][1]
        numbers = range(offset, min(total, offset + limit))
        return _Rows([_sample_row(total - 1 - number if turned else number) for number in numbers], total)
    return PagedTableModel(COLUMNS, fetch)


def table_card() -> Card:
    """A million rows."""
    table = DataTable(sample_model())
    table.setMinimumHeight(theme.px(300))
    table.setCurrentIndex(table.model().index(2, 1))
    return card("One million rows", table, subtitle="Pages come as they are looked at. Click a header to order by it.")


def loading_card() -> Card:
    """A table whose rows have not come yet."""
    table = DataTable(PagedTableModel(COLUMNS, lambda *_: _never(), total=400))
    table.setMinimumHeight(170)
    return card("Rows on their way", table)


def _never() -> Any:
    from concurrent.futures import Future
    waiting: Future[Any] = Future()
    return waiting


PROFILES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("yearly_income_in_euro", {"type": "number", "missing": 80_000, "distinct": 612_345, "min": 0.0, "max": 162_500.5,
                               "mean": 52_013.2, "std": 18_044.0, "histogram": {
                                   "edges": [i * 5000 for i in range(33)],
                                   "counts": [round(1e4 * math.exp(-((i - 11) / 5) ** 2)) for i in range(32)]}}),
    ("city", {"type": "text", "missing": 0, "distinct": 7, "top": [
        ["Oslo", 310_000], ["Київ", 240_000], ["東京", 190_000], ["São Paulo", 90_000], [_CITIES[-1], 4_000]]}),
    ("churned", {"type": "boolean", "missing": 12, "distinct": 2, "top": [[False, 700_000], [True, 299_988]]}),
    ("notes", {"type": "text", "missing": 1_000_000, "distinct": 0, "top": []}),
    ("since", {"type": "date", "missing": 0, "distinct": 336, "min": "2026-01-01", "max": "2026-12-28", "histogram": {
        "edges": [], "counts": [5, 9, 12, 14, 12, 11, 13, 18, 22, 25, 21, 12]}}),
    ("risk", {"type": "number", "missing": 400_000, "distinct": 600_000, "min": 0.0, "max": 0.9981, "mean": 0.111,
              "std": 0.21, "histogram": {"edges": [i / 20 for i in range(21)],
                                         "counts": [round(3e5 * 0.6 ** i) for i in range(20)]}}),
)


def profiles_card() -> Card:
    """Profiles of columns."""
    grid = FlowBox(spacing=Space.M, least=theme.px(250))
    for name, facts in PROFILES:
        grid.add(ColumnProfileCard(name, facts, 1_000_000))
    return card("Column profiles", grid)


def log_card() -> Card:
    """A log's tail, and small curves."""
    log = LogView()
    log.append_text("\n".join(f"12:0{i // 60}:{i % 60:02d}  epoch {i:2d}  train_loss {1 / (i + 1):.4f}"
                              for i in range(80)))
    log.setMinimumHeight(150)
    spark = Sparkline([math.exp(-i / 20) + 0.05 * math.sin(i) for i in range(90)])
    words = make_label("validation_loss", "caption", "muted")
    return card("Log", log, row(words, spark, make_label("0.0431", "caption"), None))


# Charts.

def loss_chart(*, smoothing: float = 0.9) -> Chart:
    """Two noisy curves."""
    draw = random.Random(1)  # noqa: S311 - sample data
    chart = Chart("Loss", "Step", "Cross entropy, nats", with_smoothing=True)
    steps = range(1, 4001)
    train = [0.25 + 1.4 * math.exp(-i / 600) + draw.gauss(0, 0.08) for i in steps]
    check = [0.34 + 1.3 * math.exp(-i / 650) + max(0, i - 2500) / 30_000 for i in steps[::100]]
    chart.set_series("train_loss", steps, [max(0.02, value) for value in train])
    chart.set_series("validation_loss", steps[::100], check)
    chart.set_smoothing(smoothing)
    chart.setMinimumHeight(theme.px(300))
    return chart


def runs_chart() -> Chart:
    """Twelve runs on a log axis."""
    chart = Chart("Twelve runs", "Epoch", "Loss")
    for run in range(12):
        values = [2 * math.exp(-i / (8 + run)) + 0.002 * (run + 1) for i in range(60)]
        chart.set_series(f"run {run + 1}", range(60), values)
    chart.set_log(on=True)
    chart.setMinimumHeight(theme.px(300))
    return chart


def plots_card() -> Card:
    """Scatter, histogram, ROC."""
    draw = random.Random(2)  # noqa: S311 - sample data
    actual = [draw.uniform(0, 50) for _ in range(600)]
    scatter = ScatterChart("Predicted and actual", "Actual", "Predicted", identity=True)
    scatter.set_points(actual, [value + draw.gauss(0, 3) for value in actual])
    roc = Chart("ROC", "False positive rate", "True positive rate", with_log=False, y_range=(0, 1.02))
    share = [i / 100 for i in range(101)]
    roc.set_series("class a · AUC 0.93", share, [value ** 0.15 for value in share])
    roc.set_series("class b · AUC 0.81", share, [value ** 0.3 for value in share])
    residuals = HistogramChart("Residuals", "Predicted − actual", "Rows")
    residuals.set_data([round(120 * math.exp(-((i - 15) / 5) ** 2)) for i in range(30)], [i - 15 for i in range(31)])
    grid = FlowBox(spacing=Space.XL, least=theme.px(300))
    for plot in (scatter, roc, residuals):
        plot.setMinimumHeight(theme.px(280))
        grid.add(plot)
    return card("", grid)


def matrix_card() -> QWidget:
    """A confusion matrix and feature importance."""
    labels = ["setosa", "versicolor", "virginica", "a class with a long name"]
    heat = HeatMap(labels, [[50, 0, 0, 0], [0, 46, 4, 0], [0, 7, 42, 1], [1, 0, 3, 1204]])
    heat.setMinimumHeight(260)
    segments = Segmented([(False, "Counts"), (True, "Percent")])
    segments.changed.connect(heat.set_percent)
    names = ("petal_length_in_centimetres_measured", "petal_width", "sepal_length", "sepal_width", "noise")
    bars = [Bar(name, value, value / 8) for name, value in zip(names, (0.31, 0.22, 0.08, 0.02, -0.01), strict=True)]
    left = Card("Confusion", "Test rows", [segments])
    right = Card("Feature importance", "Mean drop of the score, ± std")
    left.add(heat)
    right.add(BarChart(bars))
    right.body.addStretch(1)
    return _flow(left, right, spacing=Space.L, least=theme.px(400))


# States.

def empty_card() -> Card:
    """Places that have nothing yet."""
    words = "Drop a CSV, Excel or Parquet file here. It is copied into your library; the file itself is never changed."
    return card("", EmptyState("dataset", "No datasets yet", words, "Import a table", action_icon="import"))
