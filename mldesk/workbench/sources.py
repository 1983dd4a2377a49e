"""What a table may come from: files, folders, URLs, samples that MLDesk ships, templates, text from the clipboard."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from mldesk.core.durable import disk_errors
from mldesk.core.errors import BadInput, NotFound
from mldesk.core.resources import resource
from mldesk.workbench.templates import table as templates

Source: TypeAlias = Path | str  # a path, a URL, sample:NAME or template:NAME
_SAMPLE = "sample:"
_OURS = (_SAMPLE, templates.SOURCE)
_HTML = re.compile(r"\s*(?:<!doctype html|<html|<meta|<body|<table|<!--)", re.IGNORECASE)
_FRAGMENT = re.compile(r"^(?:[A-Za-z]+:[^\r\n<]*\r?\n)+")  # what Windows puts before HTML on the clipboard


@dataclass(frozen=True, slots=True)
class Sample:
    """A real data set that comes with MLDesk."""

    name: str
    file: str
    about: str
    rows: int
    columns: int
    task: str      # what may be learnt from it
    target: str
    licence: str

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "source": _SAMPLE + self.name, "about": self.about, "rows": self.rows,
                "columns": self.columns, "task": self.task, "target": self.target, "licence": self.licence}


SAMPLES: tuple[Sample, ...] = (
    Sample("telco_churn", "telco_churn.csv", "Customers of a telephone company, and whether they left", 7043, 21,
           "two classes", "Churn", "Apache 2.0"),
    Sample("penguins", "penguins.csv", "Penguins measured near Palmer Station, Antarctica, of three species", 344, 17,
           "three classes", "Species", "CC0 1.0"),
    Sample("pnw_flights_2014", "pnw_flights_2014.parquet", "Flights from Seattle and Portland, and their delays",
           162_049, 16, "regression", "arr_delay", "CC0 1.0"),
)


def resolve(source: Source) -> Source:
    """Return the path or URL that a source stands for. Raises NotFound for a sample that does not exist, BadInput."""
    if isinstance(source, str) and not source.strip():  # as a path it would mean the folder one is in
        raise BadInput("No file was named.", hint="Name a file, a folder or a URL.")
    if not isinstance(source, str) or not source.startswith(_SAMPLE):
        return source
    name = source.removeprefix(_SAMPLE)
    sample = next((item for item in SAMPLES if item.name == name), None)
    if sample is None:
        raise NotFound(f"There is no sample {name!r:.60}.",
                       hint=f"Samples: {', '.join(item.name for item in SAMPLES)}.")
    return resource("samples", sample.file)


@contextmanager
def resolved(sources: Sequence[Source], scratch: Path) -> Iterator[list[Source]]:
    """Give what sources stand for, see ``resolve``; a template's data are a file in ``scratch``, gone afterwards."""
    with ExitStack() as stack:
        yield [stack.enter_context(_drawn(str(source).removeprefix(templates.SOURCE), scratch))
               if isinstance(source, str) and source.startswith(templates.SOURCE) else resolve(source)
               for source in sources]


@contextmanager
def _drawn(name: str, scratch: Path) -> Iterator[Path]:
    template = templates.find(name)
    from mldesk.workbench.templates.written import csv_of  # numpy loads with it

    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="template-", dir=scratch) as folder:
        path = Path(folder) / f"{template.name}.csv"
        with disk_errors("the import"):
            path.write_text(csv_of(template), "utf-8", newline="")
        yield path


def told(sources: Sequence[Source], otherwise: str) -> str:
    """Return where a version came from, in words: ``otherwise``, and that its data are made up if they are."""
    made_up = any(isinstance(source, str) and source.startswith(templates.SOURCE) for source in sources)
    return f"{otherwise} (synthetic)" if made_up else otherwise


def remembered(source: Source) -> str:
    """Return how a source is kept with what was made of it: a full path, or an address without its secrets."""
    from mldesk.data.sources.locations import public_url, scheme_of

    if isinstance(source, str) and (source.startswith(_OURS) or scheme_of(source) is not None):
        return source if source.startswith(_OURS) else public_url(source)
    return str(Path(source).absolute())


def name_of(source: Source) -> str:
    """Return what a dataset from this source may be called."""
    from mldesk.data.sources.locations import scheme_of, shown_url
    from mldesk.library.names import tidy_name

    if isinstance(source, str) and source.startswith(_OURS):
        return source.partition(":")[2] or "table"
    named = shown_url(source).partition(" at ")[0] if isinstance(source, str) and scheme_of(source) else \
        Path(source).absolute().name
    return tidy_name(named.partition(".")[0], "table")


def absent(sources: Sequence[Source]) -> Path | None:
    """Return the first source that is a path where nothing is."""
    from mldesk.data.sources.locations import scheme_of

    paths = (Path(source) for source in sources if scheme_of(source) is None and not str(source).startswith(_OURS))
    return next((path for path in paths if not _there(path)), None)


def _there(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:  # it may be; the import says why it cannot be read
        return True
    except (OSError, ValueError):  # a name that no file can have
        return False


@contextmanager
def streamed_file(stream: BinaryIO, kind: str | None, scratch: Path,
                  hint: str = "Write it like `PROGRAM | mldesk data import -`.") -> Iterator[Path]:
    """Give a file that holds what a stream gives, of a format (None: found out from it). Gone afterwards.

    Raises BadInput where nothing comes, DiskFull.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="stream-", dir=scratch) as folder:
        path = Path(folder) / (f"standard-input.{kind}" if kind else "standard-input")
        with disk_errors("the import"), open(path, "wb") as file:
            shutil.copyfileobj(stream, file, 1 << 20)
        if not path.stat().st_size:
            raise BadInput("Nothing came from standard input.", hint=hint)
        yield path


@contextmanager
def clipboard_file(text: str, scratch: Path) -> Iterator[Path]:
    """Give a file that holds a table from the clipboard: HTML, or lines with tabs or commas. Gone afterwards.

    Raises BadInput for a text without a table.
    """
    text = _FRAGMENT.sub("", text) if text.lstrip().startswith("Version:") else text
    if not text.strip():
        raise BadInput("There is no text on the clipboard.", hint="Copy a table, with its column names.")
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="clipboard-", dir=scratch) as folder:
        html = bool(_HTML.match(text))
        path = Path(folder) / ("clipboard.html" if html else "clipboard.tsv" if "\t" in text else "clipboard.csv")
        with disk_errors("the import"):
            path.write_text(text, "utf-8", errors="replace", newline="")
        yield path
