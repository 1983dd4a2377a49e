"""The profile on a narrow terminal: what matters most stays, and what went is named."""

from __future__ import annotations

from tests.cli.conftest import Command


def test_types_and_missing_cells_stay_longest_and_what_did_not_fit_is_named(mldesk: Command) -> None:
    (mldesk.folder / "t.csv").write_text("a column with a long name,b\n2700,x\n6300,y\n,z\n", "utf-8")
    mldesk.good("data", "import", mldesk.folder / "t.csv", "--name", "n")
    wide = mldesk("data", "profile", "n", COLUMNS="200")
    assert (wide.code, wide.err) == (0, "")
    assert wide.out.splitlines()[2].split()[6:] == ["integer", "1", "2", "2,700", "4,500", "6,300",
                                                   "2700", "(1),", "6300", "(1)"]
    assert wide.out.splitlines()[-1].split()[-5:] == ["2,880", "3,600", "4,500", "5,400", "6,120"]
    narrow = mldesk("data", "profile", "n", COLUMNS="52")
    assert narrow.out.splitlines()[0].split() == ["column", "type", "missing"]
    assert "too narrow for" in narrow.err
