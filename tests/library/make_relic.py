"""Write the relic of the current release: ``python -m tests.library.make_relic``; once per release, never again."""

from __future__ import annotations

import sqlite3
import tempfile
from dataclasses import replace
from pathlib import Path

from mldesk.core.paths import Home
from mldesk.library import Library, schema
from mldesk.library.checks import Checked
from tests.library.conftest import STARTED, add_run, add_table, journal, loss, make_spec, succeeded


def main() -> None:
    target = Path(__file__).parent / "relics" / f"{schema.HEAD}.sql"
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        with Library.open(home) as library:
            add_table(library, "old")
            library.datasets.remove("old")
            first = add_table(library, "Pinguïns", problems=[{"file": "a", "line": 1, "column": None, "message": "m"}])
            add_table(library, "Pinguïns", b"2", parent=1, recipe=[{"step": "drop", "columns": ["x"]}])
            done, stopped = (add_run(library, "Pinguïns@2", name=name) for name in ("done", "stopped"))
            library.runs.apply(done.id, journal(STARTED, loss(1), loss(2, 0.25), *succeeded(first.manifest)))
            library.runs.apply(stopped.id, journal(STARTED, loss(1), loss(2, 0.25), (
                "interrupted", {"cause": "killed_external", "message": "It was killed.", "hint": "Resume it."})))
            library.runners.set_facts("local", {"cores": 2}, 5.0)
            library.runners.add("gpu", "ssh", "me@box", options={"processor_only": False}, added=6.0)
            library.runners.set_unreachable("gpu", 7.0, "It is off.")
            moved = add_run(library, "Pinguïns@2", name="moved")
            spec = replace(make_spec("Pinguïns@2", name="urgent"), not_before=4e9)
            library.runs.add(spec, "local", "Pinguïns@2", priority=7)
            library.runs.apply(moved.id, journal(STARTED, ("interrupted", {"cause": "killed_external"})))
            library.runs.move(moved.id, "gpu", checkpoint=first.manifest)
            library.contracts.add("Pinguïns", {"columns": []})
            library.contracts.accept("Pinguïns", 2, [("a.csv", first.manifest, 3)])
            library.checks.add("Pinguïns", 1, [Checked("b.csv", first.manifest, "rejected", 3, 1, [{"rule": "type"}])])
            library.checks.take("Pinguïns", 1, 2, "Ada", "It is fine.")
            long = add_run(library, "Pinguïns@2", name="long")
            library.runs.apply(long.id, journal(STARTED, *[loss(step) for step in range(1, 101)], (
                "interrupted", {"cause": "killed_external"})))
            library.runs.annotate(long.id, note="A note.", group="first tries", tags=["slow", "ünique"])
            library.words.set("Pinguïns", 2, note="Without the measurement.", tags=["clean", "für Ada"])
            library.models.set_stage("Pinguïns-class", 1, "candidate")
            library.models.promote("Pinguïns-class", 1, "It is better.")
            library.models.set_card("Pinguïns-class", 1, "# Mine")
            library.models.set_tags("Pinguïns-class", 1, ["small", "ünique"])
            library.models.set_threshold("Pinguïns-class", 1, '{"at":0.3}')
            library.predictions.add(model="Pinguïns-class@1", manifest=first.manifest, source="in.csv",
                                    source_digest=first.manifest, output="out.csv",
                                    output_digest=first.manifest, rows=3, left_out=1, options={"level": 0.9})
            library.settings.set("theme", "dark")
        connection = sqlite3.connect(home.database)
        target.write_text("\n".join(connection.iterdump()) + "\n", "utf-8")
        connection.close()


if __name__ == "__main__":
    main()
