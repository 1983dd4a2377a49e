"""Where icons, styles, samples and templates lie: in a checkout, in an installed package and in a frozen program.

In a checkout they are the folder ``resources/`` at its top; a wheel and a frozen program carry the same tree as
``mldesk/_resources`` (see ``packaging/with_resources.py``). Knows nothing of what is in them.
"""

from __future__ import annotations

from pathlib import Path

from mldesk.core.errors import NotFound

_PACKAGE = Path(__file__).resolve().parents[1]


def folder() -> Path:
    """Return the resources folder. Raises NotFound for an installation without one."""
    installed = _PACKAGE / "_resources"
    if installed.is_dir():
        return installed
    checkout = _PACKAGE.parent / "resources"
    if checkout.is_dir() and (_PACKAGE.parent / "pyproject.toml").is_file():
        return checkout
    raise NotFound("This installation of MLDesk lacks its resources folder (icons, samples, templates).",
                   hint="Install MLDesk again; a copy of single files is not enough.")


def resource(*parts: str) -> Path:
    """Return the path of one resource: ``resource("samples", "telco_churn.csv")``. Raises NotFound if it is missing."""
    path = folder().joinpath(*parts)
    if not path.exists():
        raise NotFound(f"This installation of MLDesk lacks {'/'.join(parts)}.", hint="Install MLDesk again.")
    return path
