"""Write small OpenDocument sheets, honest and hostile ones."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable

_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
_MANIFEST = (
    '<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
    f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{_TYPE}"/></manifest:manifest>'
)
_NAMES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
)


def cell(value: object, times: int = 1) -> str:
    """Return a cell, empty for None, that stands for ``times`` of its kind."""
    repeated = f' table:number-columns-repeated="{times}"' if times > 1 else ""
    if value is None:
        return f"<table:table-cell{repeated}/>"
    kind = f'float" office:value="{value}' if isinstance(value, (int, float)) else "string"
    return f'<table:table-cell{repeated} office:value-type="{kind}"><text:p>{value}</text:p></table:table-cell>'


def row(cells: Iterable[str], times: int = 1) -> str:
    """Return a row that stands for ``times``."""
    repeated = f' table:number-rows-repeated="{times}"' if times > 1 else ""
    return f"<table:table-row{repeated}>{''.join(cells)}</table:table-row>"


def sheet(*rows: str) -> bytes:
    """Return a workbook of one sheet."""
    content = (f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_NAMES}><office:body>'
               f'<office:spreadsheet><table:table table:name="S">{"".join(rows)}</table:table></office:spreadsheet>'
               "</office:body></office:document-content>")
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (("mimetype", _TYPE), ("META-INF/manifest.xml", _MANIFEST), ("content.xml", content)):
            archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return made.getvalue()
