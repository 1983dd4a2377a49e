"""A report as PDF: its page, set on paper by WeasyPrint. Nothing is loaded from anywhere meanwhile."""

from __future__ import annotations

import hashlib

from mldesk.core.errors import MldeskError
from mldesk.reports.document import Report
from mldesk.reports.page import write_page


class NoPdf(MldeskError):
    """This machine lacks what PDFs are made with."""


def write_pdf(report: Report) -> bytes:
    """Return the file. Raises NoPdf where Pango is missing, which sets the type."""
    page = write_page(report)
    try:
        from weasyprint import HTML  # loads Pango, which only this needs
    except (ImportError, OSError) as error:
        raise NoPdf("A PDF cannot be made here, because the library Pango is missing.",
                    hint="Install it (on Debian: libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0), or write the "
                         "report as .html and print it from a browser.") from error
    document: bytes = HTML(string=page, url_fetcher=_nothing).write_pdf(
        pdf_identifier=hashlib.sha256(page.encode()).digest()[:16], uncompressed_pdf=False)
    return document


def _nothing(url: str, *_: object, **__: object) -> dict[str, object]:
    raise ValueError(f"a report loads nothing: {url[:80]}")
