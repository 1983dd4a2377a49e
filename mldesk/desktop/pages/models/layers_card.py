"""The layers of a network on its model's page: drawn as a graph, and as a list that says the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QScrollArea, QStackedWidget, QWidget

from mldesk.desktop import theme, words
from mldesk.desktop.pages.data.explore_save import KINDS, save_chart
from mldesk.desktop.pages.file_choice import choose_place
from mldesk.desktop.pages.models.graph_canvas import GraphCanvas
from mldesk.desktop.pages.record_model import Field
from mldesk.desktop.pages.record_table import RecordTable
from mldesk.desktop.widgets import Card, Segmented, make_button, make_icon_button, make_label, row

if TYPE_CHECKING:
    from mldesk.workbench.layers import Layer, Layers

_TALL = 460   # pixels of the drawing or the list within the page


class LayersCard(Card):
    """Draws ``Layers``. Signals: ``notice`` (sentence, tone) after the drawing was saved, or could not be."""

    notice = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Layers"), " ", parent=parent)
        self._layers: Layers | None = None
        self.canvas = GraphCanvas()
        self.area = QScrollArea()
        self.area.setWidget(self.canvas)
        self.area.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)   # the drawing takes the keys, and the area follows it
        self.table: RecordTable[Layer] = RecordTable(_fields(), lambda item: item.name, self.tr("Layers"), dense=True)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.area)
        self._stack.addWidget(self.table)
        self._stack.setFixedHeight(theme.px(_TALL))
        self.shown_as = Segmented([("graph", self.tr("Graph")), ("list", self.tr("List"))], "graph")
        self.shown_as.changed.connect(self._on_shown_as)
        smaller = make_icon_button("minus", self.tr("Smaller"))
        smaller.clicked.connect(self.canvas.zoom_out)
        larger = make_icon_button("plus", self.tr("Larger"))
        larger.clicked.connect(self.canvas.zoom_in)
        whole = make_button(self.tr("Fit"), "secondary", small=True)
        whole.setToolTip(self.tr("Show the whole graph"))
        whole.clicked.connect(lambda: self.canvas.fit(self.area.viewport().size()))
        save = make_button(self.tr("Save…"), "secondary", "export", small=True)
        save.setToolTip(self.tr("Save the graph as a picture (PNG, SVG), or its nodes as CSV"))
        save.clicked.connect(self.save)
        self._tools = QWidget()
        self._tools.setLayout(row(smaller, larger, whole, save))
        self.add_action(self._tools)
        self.add_action(self.shown_as)
        self.add(self._stack)
        self._hint = make_label(self.tr("Arrow keys go from layer to layer, + and - or Ctrl and the wheel zoom, 0 is "
                                        "life-size. A stripe marks layers that learned something; N is the number of "
                                        "rows."), "caption", "muted", wrap=True)
        self.add(self._hint)
        self.canvas.chosen.connect(self._on_node)
        self.table.chosen.connect(self._on_layer)

    def show_layers(self, layers: Layers | None) -> None:
        """Show a network's; without one the card hides."""
        self.setVisible(layers is not None)
        if layers is None or layers == self._layers:
            return
        self._layers = layers
        self.set_subtitle(self.tr("{title}: {count} parameters.").format(
            title=layers.title[:1].upper() + layers.title[1:], count=words.number(layers.parameters)))
        self.table.set_records(layers.layers)
        self.canvas.set_graph(layers.graph)
        self.canvas.set_zoom(1.0)

    def save(self) -> None:
        """Ask where to, and write the graph."""
        choose_place(self, self.tr("Save the graph"), KINDS, "layers.png", self.write)

    def write(self, path: Path) -> None:
        """Write the graph, life-size whatever the zoom, as what the ending of ``path`` says."""
        if self._layers is None:
            return
        whole = GraphCanvas(self._layers.graph)
        whole.ensurePolished()
        try:
            save_chart(whole, path)
        except OSError as error:
            self.notice.emit(self.tr("{name} cannot be written: {why}.").format(name=path.name, why=error.strerror),
                             "danger")
            return
        finally:
            whole.deleteLater()
        self.notice.emit(self.tr("Saved {name}.").format(name=path.name), "success")

    def _on_shown_as(self, key: str) -> None:
        self._stack.setCurrentIndex(0 if key == "graph" else 1)
        self._tools.setVisible(key == "graph")
        self._hint.setVisible(key == "graph")

    def _on_node(self, name: str) -> None:
        """Bring the node into view, and select what it consists of in the list."""
        place = self.canvas.place_of(name)
        self.area.ensureVisible(place.center().x(), place.center().y(), place.width() // 2 + 8, place.height() // 2 + 8)
        if self._layers is not None:
            of = next(node.layers for node in self._layers.graph.nodes if node.name == name)
            self.table.select(of[:1])

    def _on_layer(self) -> None:
        chosen = self.table.selected()
        if chosen and self._layers is not None:
            name = next((node.name for node in self._layers.graph.nodes if chosen[0].name in node.layers), "")
            self.canvas.choose(name)


def _fields() -> list[Field[Layer]]:
    tr = words.tr
    return [Field(tr("Layer"), lambda item: item.name, strong=True), Field(tr("Kind"), lambda item: item.what, 150),
            Field(tr("Takes"), lambda item: item.takes, 120, spare=1), Field(tr("Gives"), lambda item: item.gives, 120),
            Field(tr("Parameters"), lambda item: words.number(item.parameters), 100, lambda item: item.parameters,
                  right=True)]
