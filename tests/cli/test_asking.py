"""Asking at a terminal: once, unseen, and remembered only on a yes."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from mldesk.cli.asking import GivenPassword, TerminalAsker, confirm


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is typed unseen, one after another; the prompts it was typed at take its place."""
    answers: list[str] = []
    monkeypatch.setattr("getpass.getpass", lambda _prompt: answers.pop(0))
    return answers


def answer(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


@pytest.mark.parametrize(("said", "yes"), [("y", True), ("YES", True), ("", False), ("n", False), ("ok", False)])
def test_only_yes_is_yes(monkeypatch: pytest.MonkeyPatch, said: str, yes: bool) -> None:
    answer(monkeypatch, said)
    assert confirm("Go on?") is yes


@pytest.mark.parametrize(("said", "keep"), [("y", True), ("", False)])
def test_a_password_is_remembered_when_the_person_says_so(monkeypatch: pytest.MonkeyPatch, typed: list[str], said: str,
                                                         keep: bool) -> None:
    typed.append("secret")
    answer(monkeypatch, said)
    asker = TerminalAsker()
    assert (asker.password("me", "box", 22), asker.keep_last) == ("secret", keep)


def test_what_nobody_answered_is_not_asked_again(typed: list[str]) -> None:
    typed.extend(["", "never read"])
    asker = TerminalAsker()
    assert [asker.passphrase(Path("/key")) for _ in range(2)] == [None, None]
    assert typed == ["never read"]


def test_a_host_s_own_questions_are_answered_in_order(monkeypatch: pytest.MonkeyPatch, typed: list[str],
                                                     capsys: pytest.CaptureFixture[str]) -> None:
    typed.append("hidden")
    answer(monkeypatch, "123456")
    assert TerminalAsker().answers("box", "Two steps", [("PIN: ", False), ("Code: ", True)]) == ["hidden", "123456"]
    assert "box asks: Two steps" in capsys.readouterr().err
    answer(monkeypatch)
    assert TerminalAsker().answers("box", "", [("Code: ", True)]) is None


def test_a_password_that_was_given_answers_for_the_account_only() -> None:
    given = GivenPassword("secret", remember=True)
    assert (given.password("me", "box", 22), given.keep_last) == ("secret", True)
    assert (given.passphrase(Path("/key")), given.answers("box", "", [("Code: ", True)])) == (None, None)
