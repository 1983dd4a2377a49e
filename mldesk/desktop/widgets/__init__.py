"""The window's own widgets. Pages are built from these and from nothing else that has a look.

Widgets that draw through pyqtgraph are imported when first asked for: it costs a quarter of a second, which the first
picture of the window need not wait for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mldesk.desktop.widgets.badges import Badge, StateBadge
from mldesk.desktop.widgets.bars import Bar, BarChart, even_span, swatches
from mldesk.desktop.widgets.buttons import (
    ElidedLink,
    IconLabel,
    ReasonLine,
    disable,
    enable,
    make_button,
    make_icon_button,
    set_icon,
    why_disabled,
)
from mldesk.desktop.widgets.card import Card, EmptyState
from mldesk.desktop.widgets.editors import ComboBox, DecimalBox, SpinBox, Switch, TypedBox
from mldesk.desktop.widgets.flow import FlowBox, FlowLayout
from mldesk.desktop.widgets.form import FormRow
from mldesk.desktop.widgets.header import PageHeader, SearchField
from mldesk.desktop.widgets.heatmap import HeatMap
from mldesk.desktop.widgets.later import Later
from mldesk.desktop.widgets.log import LogView
from mldesk.desktop.widgets.log_pane import LogPane
from mldesk.desktop.widgets.moment_box import MomentBox
from mldesk.desktop.widgets.parameter_form import ParameterForm, form_for
from mldesk.desktop.widgets.profile import ColumnProfileCard
from mldesk.desktop.widgets.progress import ProgressLine, Spinner
from mldesk.desktop.widgets.sheet import Sheet
from mldesk.desktop.widgets.sidebar import SideBar
from mldesk.desktop.widgets.spark import MiniHistogram, Sparkline
from mldesk.desktop.widgets.split import SplitView
from mldesk.desktop.widgets.table import DataTable
from mldesk.desktop.widgets.table_model import PagedTableModel, number
from mldesk.desktop.widgets.tabs import Segmented, TabBar, Tabs
from mldesk.desktop.widgets.text import (
    ElidedLabel,
    ScrollPage,
    clear,
    column,
    hairline,
    make_label,
    row,
    set_role,
    set_tone,
)
from mldesk.desktop.widgets.toasts import Toasts

if TYPE_CHECKING:
    from mldesk.desktop.widgets.chart import Chart
    from mldesk.desktop.widgets.density import DensityChart
    from mldesk.desktop.widgets.histogram import HistogramChart
    from mldesk.desktop.widgets.scatter import ScatterChart

_LATE = {"Chart": "chart", "ScatterChart": "scatter", "HistogramChart": "histogram", "DensityChart": "density"}

__all__ = [
    "Badge", "Bar", "BarChart", "Card", "Chart", "ColumnProfileCard", "ComboBox", "DataTable", "DecimalBox",
    "DensityChart",
    "ElidedLabel", "ElidedLink", "EmptyState", "FlowBox", "FlowLayout", "FormRow", "HeatMap", "HistogramChart",
    "IconLabel", "Later", "LogPane", "LogView",
    "MiniHistogram", "MomentBox", "PageHeader", "PagedTableModel", "ParameterForm", "ProgressLine", "ReasonLine",
    "ScatterChart",
    "ScrollPage", "SearchField", "Segmented", "Sheet", "SideBar", "Sparkline", "SpinBox", "Spinner", "SplitView",
    "StateBadge", "Switch", "TabBar", "Tabs", "Toasts", "TypedBox", "clear", "column", "disable", "enable",
    "even_span", "form_for", "hairline", "make_button", "make_icon_button", "make_label", "number", "row", "set_icon",
    "set_role", "set_tone", "swatches", "why_disabled",
]


def __getattr__(name: str) -> Any:
    if name in _LATE:
        from importlib import import_module
        return getattr(import_module(f"mldesk.desktop.widgets.{_LATE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
