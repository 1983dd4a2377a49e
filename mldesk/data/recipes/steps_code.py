"""The step that is code, as it is declared."""

from __future__ import annotations

from mldesk.data.recipes.steps_kinds import Field, StepKind

CODE_STEPS: tuple[StepKind, ...] = (
    StepKind("python", "Run a Python function over the table, as a pandas DataFrame, in a confined process.", (
        Field("code", "code", "A function step(frame) that returns a DataFrame; pd and np are there. It reaches no "
              "file, no network and no other process.", required=True),
        Field("rows", "number", "Give it so many rows at a time, for tables that memory does not hold; none: all.",
              low=1, high=10**8, whole=True),
        Field("seconds", "number", "How long it may take, in seconds.", 60, low=1, high=3600, label="Time limit (s)"),
        Field("memory", "number", "How much memory it may take beyond pandas itself, in GiB.", 2, low=0.125, high=256,
              label="Memory limit (GiB)"),
    ), "Python function", learns=True),
)
