"""What changed in a script from one run to another, as a card."""

from __future__ import annotations

from mldesk.desktop import theme, words
from mldesk.desktop.widgets import Card, LogView, make_label


class ScriptChanges(Card):
    """Draws what ``ScriptService.diff`` says."""

    def __init__(self) -> None:
        super().__init__(words.tr("What changed in the script"))
        self.since = make_label("", "caption", "muted", wrap=True)
        self.diff = LogView(follows=False)
        self.diff.setMinimumHeight(theme.px(180))
        self.diff.setAccessibleName(self.tr("What changed in the script"))
        self.add(self.since)
        self.add(self.diff)

    def show_changes(self, before: str, text: str) -> None:
        """Show a unified diff against the run ``before``."""
        said = self.tr("Since {run}: lines that went begin with -, lines that came with +.") if text else \
            self.tr("Nothing, since {run}.")
        self.since.setText(said.format(run=before))
        self.diff.setPlainText(text)
        self.diff.setVisible(bool(text))

    def say_none(self, why: str) -> None:
        """Say why there is nothing to compare with."""
        self.since.setText(why)
        self.diff.hide()
