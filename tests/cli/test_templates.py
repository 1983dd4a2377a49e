"""Templates on the command line: listed, shown, and started from."""

from __future__ import annotations

from tests.cli.conftest import Command


def test_a_template_is_shown_and_started_from(mldesk: Command) -> None:
    names = [one["name"] for one in mldesk.good("templates", "list")["templates"]]
    assert len(names) == 8
    listed = mldesk.told("templates", "list")
    assert all(name in listed.out for name in names)
    shown = mldesk.told("templates", "show", "concrete_strength").out
    assert "synthetic" in shown
    assert "compressive strength, MPa" in shown
    begun = mldesk.good("templates", "start", "concrete_strength", "--name", "mixes")
    assert (begun["dataset"], begun["version"], begun["rows"], begun["made"], begun["preset"]) == (
        "mixes", 1, 1000, True, "concrete_strength")
    assert begun["next"] == "mldesk train mixes --target strength_mpa --preset concrete_strength"
    assert "There already" in mldesk.told("templates", "start", "concrete_strength", "--name", "mixes").out
    assert mldesk.good("data", "import", "template:concrete_strength")["dataset"] == "concrete_strength"
    assert mldesk.here("templates", "start", "concrete", "--name", "x")[0] == 3
    assert mldesk.here("data", "import", "template:concrete")[0] == 3
    assert mldesk.here("templates", "start", "text_sentiment", "--name", "mixes")[0] == 2
