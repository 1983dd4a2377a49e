"""A search goes on with whatever it was given, whether it goes by time or by trials."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mldesk.training.search import finale as finale_module
from mldesk.training.search import search as search_module
from mldesk.training.search.limits import Limits
from mldesk.training.search.timing import Clock, End, final_seconds
from tests.training.jobs import events, of, put_table, result, run_here
from tests.training.tables import mixed
from tests.training.test_search import order

FIXED = tuple({"estimator": "decision_tree", "parameters": {"max_depth": depth}} for depth in (2, 3, 4, 5))


def _run(root: Path, extend: dict[str, Any], **fields: Any) -> list[dict[str, Any]]:
    """Run a search that finds this in its mail."""
    root.mkdir(exist_ok=True)
    table = put_table(root, mixed(120, "number"))
    folder = order(root, table, **fields)
    (folder / "mail").mkdir()
    (folder / "mail" / "more.json").write_text(json.dumps({"extend": extend}))
    return run_here(folder, table)


def _made(said: list[dict[str, Any]]) -> tuple[int, int]:
    """Return how many trials were made before a search went on with what it was given beside, and after that."""
    places = [place for place, event in enumerate(said)
              if event["kind"] == "log" and "goes on with what" in event["text"]]
    cut = places[0] if places else len(said)
    return len(of("trial", said[:cut])), len(of("trial", said[cut:]))


def test_a_search_by_time_tries_the_trials_it_was_given_once_its_time_is_over(tmp_path: Path) -> None:
    said = _run(tmp_path, {"trials": 3}, seconds=0.2)
    before, after = _made(said)
    assert before >= 1 and after == 3
    assert any("by 3 trials. They come once" in line["text"] for line in of("log", said))
    assert result(said)["trials"] + result(said)["weak_trials"] == before + after


def test_a_search_by_trials_goes_on_for_the_time_it_was_given(tmp_path: Path) -> None:
    said = _run(tmp_path, {"seconds": 100_000}, trials=1, configurations=FIXED)
    assert _made(said) == (1, 3)      # until there is nothing left to try


def test_more_of_the_same_is_added_to_what_there_is(tmp_path: Path) -> None:
    assert _made(_run(tmp_path / "trials", {"trials": 2}, trials=2, configurations=FIXED)) == (4, 0)
    said = _run(tmp_path / "time", {"seconds": 100_000}, seconds=0.1, configurations=FIXED)
    assert _made(said) == (4, 0)      # the first ones alone would have been too late


def test_a_search_that_is_resumed_has_what_it_was_given(tmp_path: Path) -> None:
    path = tmp_path / "limits.json"
    limits = Limits(path, 60.0, 0)
    limits.extend("a", 30.0, 0)
    limits.extend("b", 0.0, 5)
    limits.extend("c", 0.0, 2)
    again = Limits(path, 60.0, 0)
    again.extend("b", 0.0, 5)         # it was heard before
    assert (again.seconds, again.trials, again.span, again.goes_by) == (90.0, 0, 90.0, "trials")
    assert again.go_on(91.0, 40) and (again.seconds, again.trials) == (0.0, 47)
    assert not Limits(path, 60.0, 0).go_on(200.0, 47)
    assert Limits(path, 60.0, 0).trials == 47


def test_time_after_trials_is_all_for_trying(tmp_path: Path) -> None:
    limits = Limits(tmp_path / "limits.json", 0.0, 10)
    limits.extend("a", 60.0, 4)       # both at once: the trials are added, the time comes after them
    assert (limits.trials, limits.goes_by) == (14, "seconds")
    assert limits.go_on(1000.0, 14)
    assert (limits.trials, limits.until, limits.span) == (0, 1060.0, 60.0)
    assert limits.seconds - final_seconds(limits.seconds) == pytest.approx(1060.0)
    end_of = Clock(tmp_path / "used.json", 1000.0)
    end = End(end_of, limits.seconds)
    end.until = limits.until
    assert end.begins < end.late and end.begins == end_of.began + 1060
    limits.extend("b", 40.0, 0)
    assert (limits.until, limits.span) == (1100.0, 100.0)
    either = Limits(tmp_path / "either.json", 60.0, 10)
    either.extend("a", 30.0, 0)       # whichever came first: after it
    assert (either.seconds, either.trials) == (60.0, 10) and either.go_on(5.0, 10) and either.until == 35.0


def test_a_second_fit_after_the_end_tries_nothing_more(tmp_path: Path) -> None:
    table = put_table(tmp_path, mixed(120, "number"))
    first = run_here(order(tmp_path, table, trials=2, configurations=FIXED), table)
    kept = next(event["digest"] for event in of("artifact", first) if event["name"] == "trials")
    again = run_here(order(tmp_path, table, trials=result(first)["trials"], earlier=(kept,), refit=True,
                           folds=result(first)["folds"]), table)
    assert [trial["score"] for trial in of("trial", again)] == [trial["score"] for trial in of("trial", first)]
    assert result(again)["members"] == [{**member, "refitted": True, "refit_cut": 0}
                                        for member in result(first)["members"]]
    assert result(again)["metrics"] != result(first)["metrics"]


def test_what_comes_while_the_best_are_blended_is_still_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blend = search_module.blend
    table = put_table(tmp_path, mixed(120, "number"))
    folder = order(tmp_path, table, trials=2)

    def extended(*given: Any, **named: Any) -> Any:
        (folder / "mail").mkdir(exist_ok=True)
        (folder / "mail" / "more.json").write_text(json.dumps({"extend": {"trials": 2}}))
        return blend(*given, **named)

    monkeypatch.setattr(search_module, "blend", extended)
    said = run_here(folder, table)
    assert len(of("trial", said)) == result(said)["trials"] == 4
    save = search_module.save

    def late(*given: Any) -> Any:
        (folder / "mail" / "late.json").write_text(json.dumps({"extend": {"trials": 2}}))
        return save(*given)

    monkeypatch.setattr(search_module, "blend", blend)
    monkeypatch.setattr(search_module, "save", late)
    folder = order(tmp_path, table, trials=2)
    (folder / "mail").mkdir()
    assert any("extend it again" in str(event.get("hint")) for event in of("warning", run_here(folder, table)))


def test_a_short_extension_tries_something_new_and_fits_no_part_of_the_blend_again(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = put_table(tmp_path, mixed(120, "number"))
    first = result(run_here(order(tmp_path, table, trials=4), table))
    fitted: list[int] = []
    run_trial = finale_module.run_trial
    monkeypatch.setattr(finale_module, "run_trial", lambda number, *given, **named: (
        fitted.append(number), run_trial(number, *given, **named))[1])
    trials = next(event["digest"] for event in of("artifact", _said(tmp_path)) if event["name"] == "trials")
    said = run_here(order(tmp_path, table, trials=5, earlier=(trials,), kept=first["model"]), table)
    assert len(of("trial", said)) == 5      # four that are known, and a new one
    assert not {member["trial"] for member in first["members"]} & set(fitted)


def _said(root: Path) -> list[dict[str, Any]]:
    """Return what the only job so far said."""
    return events(next((root / "jobs").iterdir()))


def test_time_that_is_owed_to_a_second_fit_is_half_of_what_there_is() -> None:
    best = SimpleNamespace(natives=(), number=1, seconds=30.0)
    search = object.__new__(search_module._Search)
    search._plan = SimpleNamespace(trials=SimpleNamespace(done=[best], best=best))    # type: ignore[assignment]
    search._crew = SimpleNamespace(has_models=lambda _number: False)                  # type: ignore[assignment]
    search._began, search._end = 100.0, SimpleNamespace(begins=120.0)                 # type: ignore[assignment]
    assert search._owed() == 10.0
    search._end = SimpleNamespace(begins=200.0)                                       # type: ignore[assignment]
    assert search._owed() == 30.0
