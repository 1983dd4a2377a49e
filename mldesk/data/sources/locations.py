"""What may stand for a source: a path, a URL of a file, or the URL of a database server. Standard library only."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

from mldesk.core.errors import BadInput

Location: TypeAlias = Path | str
SCHEMES = ("http", "https", "s3", "gs", "gcs", "az", "abfs", "abfss", "adl", "sftp", "ssh", "ftp")
DATABASES = ("postgresql", "postgres")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")


def scheme_of(source: Location) -> str | None:
    """Return the scheme of a URL in lower case, None for a path."""
    match = _URL.match(source) if isinstance(source, str) else None
    return match[1].lower() if match else None


def is_url(source: Location) -> bool:
    """Say whether a file must be brought here first. Raises BadInput for a scheme that is not known."""
    scheme = scheme_of(source)
    if scheme is None or scheme in DATABASES:
        return False
    if scheme not in SCHEMES:
        raise BadInput(f"MLDesk does not know how to read {scheme}:// addresses.",
                       hint=f"It knows {', '.join(SCHEMES)} and postgresql.")
    return True


def is_database_url(source: Location) -> bool:
    """Say whether the source is a database server."""
    return scheme_of(source) in DATABASES


def shown_url(url: str) -> str:
    """Return what people call the thing at a URL: its last name, or the host; never a password or a token."""
    try:
        parts = urlsplit(url)
        name = unquote(parts.path.rstrip("/").rpartition("/")[2])
        if scheme_of(url) in DATABASES:
            return f"{name or 'database'} at {parts.hostname or 'localhost'}"
        return _plain(name or parts.hostname or "download")
    except ValueError as error:
        raise BadInput("The address cannot be read.", hint="Write it like https://host/folder/file.csv.") from error


def public_url(source: Location) -> str:
    """Return a source as it may be kept and shown: without user, password, query and fragment."""
    if scheme_of(source) is None:
        return str(source)
    parts = urlsplit(str(source))
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def readable(name: str) -> str:
    """Return a name as it can be shown and kept: bytes that are no UTF-8, as names on Linux may hold, as ``\\xff``."""
    return os.fsencode(name).decode("utf-8", "backslashreplace") if not name.isascii() else name


def _plain(name: str) -> str:
    return "".join(letter for letter in name if letter.isprintable() and letter not in "/\\")[:120] or "download"
