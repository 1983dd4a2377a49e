"""Files on their way in, from a drop, a dialog, the clipboard or the samples: tables are previewed, bundles shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QMimeData
from PySide6.QtGui import QGuiApplication

from mldesk.core.resources import resource
from mldesk.desktop.pages.data.import_one import import_one
from mldesk.desktop.pages.file_choice import choose_files, table_filters
from mldesk.desktop.shell import Shell
from mldesk.desktop.tasks import in_thread, start

BUNDLE = ".mlbundle"
NOT_TABLES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".mp3", ".mp4", ".mov", ".avi", ".wav",
              ".pdf", ".docx", ".doc", ".pptx", ".exe", ".dll", ".so", ".py", ".ipynb", ".pkl", ".pickle", ".joblib",
              ".pt", ".onnx", ".safetensors")
SAMPLE = "telco_churn"
_ADDRESS = re.compile(r"(?:https?|s3|gs|gcs|az|abfs|abfss|adl|sftp|ssh|postgres|postgresql)://\S+", re.IGNORECASE)


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("BringIn", text)


def bring_in(shell: Shell, paths: Sequence[Path]) -> None:
    """Bring files and folders in: tables are previewed before they are imported, bundles and programs looked at."""
    bundles = [path for path in paths if path.suffix.lower() == BUNDLE]
    programs = [path for path in paths if path.suffix == ".py"]
    others = [path for path in paths if path.suffix.lower() in NOT_TABLES and path not in programs]
    tables = [path for path in paths if path not in bundles and path not in others and path not in programs]
    if others:
        names = ", ".join(path.name for path in others[:3])
        shell.say(tr("MLDesk does not know what to do with {names}. It reads tables (CSV, Excel, JSON, Parquet, "
                     "databases, archives of these), .mlbundle files and Python programs.").format(names=names),
                  "warning")
    if bundles:
        _look_into(shell, bundles[0])
    if programs:
        from mldesk.desktop.pages.runs.script_dialog import open_script_dialog

        open_script_dialog(shell, programs[0])
    if tables:
        preview(shell, tables)


def preview(shell: Shell, sources: Sequence[Path | str], text: str = "") -> None:
    """Open the import dialog over sources, or over a table from the clipboard."""
    from mldesk.desktop.pages.data.import_dialog import ImportDialog

    ImportDialog(shell, sources, text=text).open()


def choose_tables(shell: Shell) -> None:
    """Ask for tables, then show what they would be."""
    choose_files(shell.host, tr("Import tables"), table_filters(), partial(preview, shell), many=True)


def choose_address(shell: Shell) -> None:
    """Ask for an address or a folder, then show what it would be."""
    from mldesk.desktop.pages.data.import_address import AddressDialog

    AddressDialog(shell, partial(preview, shell)).open()


def paste(shell: Shell) -> None:
    """Import what is on the clipboard: files, an address, or a table as text or HTML."""
    data: QMimeData | None = QGuiApplication.clipboard().mimeData()
    if data is not None and data.hasUrls() and (paths := [Path(url.toLocalFile()) for url in data.urls()
                                                          if url.isLocalFile()]):
        bring_in(shell, paths)
        return
    text = data.text() if data is not None and data.hasText() else ""
    if _ADDRESS.fullmatch(text.strip()):
        preview(shell, [text.strip()])
        return
    html = data.html() if data is not None and data.hasHtml() else ""
    table = html if "<table" in html.lower() else text
    if not table.strip():
        shell.say(tr("There is no table on the clipboard. Copy some cells, a file or an address first."), "neutral")
        return
    preview(shell, [], table)


def choose_bundle(shell: Shell) -> None:
    """Ask for a bundle and show what is in it."""
    filters = [tr("Model bundles") + f" (*{BUNDLE})"]
    choose_files(shell.host, tr("Import a bundle"), filters, lambda paths: _look_into(shell, paths[0]))


def bring_in_sample(shell: Shell, name: str = SAMPLE) -> None:
    """Import a sample, or open it where it is in the library already."""
    start(_import_sample(shell, name), "import the sample")


def choose_sample(shell: Shell) -> None:
    """Show the samples that came along."""
    from mldesk.desktop.pages.data.samples_dialog import SamplesDialog

    SamplesDialog(shell, partial(bring_in_sample, shell)).open()


async def _import_sample(shell: Shell, name: str) -> None:
    if await shell.imports.exists(name):
        shell.open_dataset(name)
        return
    from mldesk.workbench.sources import SAMPLES

    file = next(sample.file for sample in SAMPLES if sample.name == name)
    path = resource("samples", file)
    await import_one(shell, [path], name, again=partial(preview, shell, [path]))


def bring_in_template(shell: Shell, name: str) -> None:
    """Import a template's data and keep its settings, or open the dataset that was made of it."""
    start(_import_template(shell, name), "start from a template")


async def _import_template(shell: Shell, name: str) -> None:
    from mldesk.workbench.templates.table import find

    template, service = find(name), shell.desk.workbench.templates
    dataset = await in_thread(service.name_for, template)
    if await shell.imports.exists(dataset):
        shell.open_dataset(dataset)
        return
    await in_thread(service.keep, template)
    await import_one(shell, [template.source], dataset, again=partial(preview, shell, [template.source]))


def _look_into(shell: Shell, path: Path) -> None:
    from mldesk.desktop.pages.models.bundle_dialog import BundleDialog

    BundleDialog(shell, path).open()
