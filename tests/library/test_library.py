"""Opening a library: made, migrated, checked, backed up, or refused in one sentence."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from mldesk.core.errors import LibraryDamaged, MldeskError
from mldesk.core.paths import Home
from mldesk.library import Library, keeping, migrations, schema
from mldesk.library.dataset_words import Words
from tests.library.conftest import STARTED, Clock, add_run, add_table, journal, loss, succeeded

RELICS = sorted((Path(__file__).parent / "relics").glob("*.sql"))


def schema_of(path: Path) -> list[tuple[str, ...]]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name").fetchall()
    connection.close()
    # The order of a table's constraints and quotes around its name mean nothing: they depend on who wrote it.
    return [(kind, name, table, " ".join(sorted(line.strip(" ,\t") for line in str(sql).replace('"', "").splitlines())))
            for kind, name, table, sql in rows]


def bury_alive(home: Home) -> None:
    """Open the library in a process that is killed."""
    code = (f"from mldesk.library import Library; from mldesk.core.paths import Home; from pathlib import Path\n"
            f"library = Library.open(Home(Path({str(home.root)!r}))); print('open', flush=True); input()")
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        os.kill(process.pid, signal.SIGKILL)


class TestMaking:
    def test_a_new_library_is_empty_and_private(self, library: Library, home: Home) -> None:
        assert (library.datasets.list(), library.runs.list(), library.models.list()) == ([], [], [])
        assert home.root.stat().st_mode & 0o077 == 0
        with sqlite3.connect(home.database) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        connection.close()

    def test_what_is_kept_is_there_the_next_time(self, home: Home) -> None:
        with Library.open(home) as library:
            version = add_table(library)
        with Library.open(home) as library:
            assert library.datasets.version("penguins") == version

    def test_several_may_open_a_new_library_at_once(self, home: Home) -> None:
        opened, failed = [], []

        def start() -> None:
            try:
                opened.append(Library.open(home))
            except Exception as error:
                failed.append(error)

        threads = [threading.Thread(target=start) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        for library in opened:
            library.settings.set("seen", True)
            library.close()

    def test_threads_share_a_library(self, library: Library) -> None:
        add_table(library)

        def add(number: int) -> None:
            for time in range(5):
                add_table(library, content=b"%d %d" % (number, time))

        threads = [threading.Thread(target=add, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [version.number for version in library.datasets.versions("penguins")] == list(range(1, 32))


class TestMigrations:
    def test_the_code_and_the_migrations_know_the_same_revisions(self) -> None:
        scripts = ScriptDirectory.from_config(migrations.configuration())
        assert tuple(reversed([script.revision for script in scripts.walk_revisions()])) == schema.REVISIONS
        assert {path.stem for path in RELICS} == set(schema.REVISIONS), "each released revision has its relic"

    def test_a_new_library_has_the_schema_that_the_migrations_lead_to(self, home: Home, tmp_path: Path) -> None:
        Library.open(home).close()
        migrated = tmp_path / "migrated.db"
        migrations.upgrade(migrated)
        assert schema_of(migrated) == schema_of(home.database)

    @pytest.mark.parametrize("relic", RELICS, ids=lambda path: path.stem)
    def test_a_library_of_every_release_opens_with_all_that_was_in_it(self, home: Home, relic: Path) -> None:
        home.make()
        with sqlite3.connect(home.database) as connection:
            connection.executescript(relic.read_text("utf-8"))
        connection.close()
        migrations.upgrade(home.database)
        with Library.open(home) as library:
            head = library.datasets.version("Pinguïns")
            assert (head.number, head.parent, head.recipe) == (2, 1, ({"step": "drop", "columns": ["x"]},))
            assert [column.name for column in head.columns] == ["Größe", "class"]
            assert [dataset.name for dataset in library.datasets.list(removed=True)] == ["old"]
            done, stopped = library.runs.get("done"), library.runs.get("stopped")
            assert (done.model, done.dataset, done.last_seq) == ("Pinguïns-class@1", "Pinguïns@2", 5)
            assert (stopped.state.value, stopped.cause) == ("interrupted", "killed_external")
            assert [point.value for point in library.runs.metrics(done.id)] == [0.5, 0.25]
            assert [item.seq for item in library.runs.events(done.id)] == [1, 2, 3, 4, 5]
            assert library.models.get("Pinguïns-class").promoted == 1
            assert library.runners.get("local").facts == {"cores": 2}
            assert library.runners.get("local").unreachable is None
            if relic.stem > "0001":
                self.runners_are_there(library)
            if relic.stem > "0003":
                assert (library.contracts.get("Pinguïns").number, library.contracts.get("pinguïns").document) == (
                    1, {"columns": []})
                assert [(file.name, file.rows, file.version) for file in library.contracts.accepted("Pinguïns")] == [
                    ("a.csv", 3, 2)]
                assert library.contracts.get("Pinguïns").version == (2 if relic.stem < "0009" else 1)
            else:
                assert library.contracts.accepted("Pinguïns") == []
            if relic.stem > "0004":
                long = library.runs.get("long")
                assert (long.note, long.group, long.tags) == ("A note.", "first tries", ("slow", "ünique"))
                assert [point.step for point in library.runs.metrics(long.id)] == list(range(1, 101))
            if relic.stem > "0005":
                assert library.words.get("Pinguïns")[2] == Words("Without the measurement.", ("clean", "für Ada"))
            if relic.stem > "0006":
                change = library.models.stage_changes("Pinguïns-class")[0]
                assert (change.before, change.after, change.note) == ("candidate", "promoted", "It is better.")
                assert library.models.card("Pinguïns-class", 1) == "# Mine"
                assert [(made.rows, made.options) for made in library.predictions.list()] == [(3, {"level": 0.9})]
                assert library.models.threshold("Pinguïns-class", 1) == (
                    '{"at":0.3}' if relic.stem > "0011" else None)
            assert library.runs.get("stopped").priority == 0
            if relic.stem > "0007":
                urgent = library.runs.get("urgent")
                assert (urgent.priority, urgent.not_before) == (7, 4e9 if relic.stem > "0012" else None)
            checked = library.checks.list("Pinguïns")
            assert [(item.path, item.version, item.who, item.why) for item in checked] == (
                [("b.csv", 2, "Ada", "It is fine.")] if relic.stem > "0009" else [])
            assert library.models.get("Pinguïns-class").head.tags == (
                ("small", "ünique") if relic.stem > "0010" else ())
            assert library.settings.get("theme") == "dark"
            library.runs.apply(stopped.id, journal(("started", {"attempt": 2, "resumed_from": 1}), first=5))
            add_table(library, "Pinguïns")

    def runners_are_there(self, library: Library) -> None:
        gpu = library.runners.get("gpu")
        assert (gpu.address, gpu.options, gpu.added, gpu.unreachable, gpu.trouble) == (
            "me@box", {"processor_only": False}, 6.0, 7.0, "It is off.")
        moved = library.runs.get("moved")
        assert moved.runner == "gpu"
        assert moved.handover is not None
        assert moved.handover["from"] == "local"

    @pytest.fixture
    def next_release(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
        """Stand-in for the next release: one more migration, in a folder of its own."""
        folder = tmp_path / "next"
        folder.mkdir()
        mine, theirs = migrations.configuration, Path(migrations.__file__).parent / "versions"

        def configuration() -> Config:
            config = mine()
            config.set_main_option("path_separator", "newline")
            config.set_main_option("version_locations", f"{theirs}\n{folder}")
            return config

        monkeypatch.setattr(migrations, "configuration", configuration)
        monkeypatch.setattr(keeping, "REVISIONS", (*schema.REVISIONS, "9999"))
        monkeypatch.setattr(keeping, "HEAD", "9999")
        yield folder

    def test_an_older_library_is_backed_up_and_migrated(self, home: Home, next_release: Path,
                                                        monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as now:
            now.setattr(keeping, "HEAD", schema.HEAD)
            with Library.open(home) as library:
                add_table(library)
        (next_release / "r9999.py").write_text(
            f"from alembic import op\nimport sqlalchemy as sa\nrevision, down_revision = '9999', {schema.HEAD!r}\n"
            "def upgrade():\n    op.add_column('datasets', sa.Column('colour', sa.Text()))\n")
        with Library.open(home) as library:
            assert library.datasets.get("penguins").versions == 1
        assert "colour" in str(schema_of(home.database))
        assert "colour" not in str(schema_of(home.backups / "library-before-9999.db"))

    def test_a_migration_that_fails_leaves_the_library_as_it_was(self, home: Home, next_release: Path,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as now:
            now.setattr(keeping, "HEAD", schema.HEAD)
            Library.open(home).close()
        before = schema_of(home.database)
        (next_release / "r9999.py").write_text(
            f"from alembic import op\nimport sqlalchemy as sa\nrevision, down_revision = '9999', {schema.HEAD!r}\n"
            "def upgrade():\n    op.add_column('datasets', sa.Column('colour', sa.Text()))\n"
            "    op.drop_table('nothing')\n")
        with pytest.raises(Exception, match="nothing"):
            Library.open(home)
        assert schema_of(home.database) == before

    def test_a_library_of_a_newer_release_is_refused_in_one_sentence(self, home: Home) -> None:
        Library.open(home).close()
        with sqlite3.connect(home.database) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.close()
        with pytest.raises(MldeskError, match="newer MLDesk") as caught:
            Library.open(home)
        assert caught.value.code == "library_too_new"
        assert caught.value.hint

    def test_a_library_opens_without_alembic(self, home: Home) -> None:
        code = (f"import sys; from mldesk.library import Library; from mldesk.core.paths import Home\n"
                f"from pathlib import Path; Library.open(Home(Path({str(home.root)!r}))).close()\n"
                f"print([name for name in ('alembic', 'keyring', 'cryptography', 'numpy') if name in sys.modules])")
        for _ in range(2):
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
            assert done.stdout.strip() == "[]"


class TestDamage:
    def test_a_database_that_is_none_is_refused_and_says_how_to_go_on(self, home: Home) -> None:
        home.make()
        home.database.write_bytes(b"This is not a database. " * 100)
        with pytest.raises(LibraryDamaged) as caught:
            Library.open(home)
        assert "no backup yet" in caught.value.hint
        assert not list((home.root / ".sessions").iterdir())

    def test_another_programs_database_is_refused(self, home: Home) -> None:
        home.make()
        with sqlite3.connect(home.database) as connection:
            connection.execute("CREATE TABLE bookmarks (url)")
        connection.close()
        with pytest.raises(LibraryDamaged):
            Library.open(home)

    def test_damage_is_found_once_a_day_and_the_hint_names_the_newest_backup(self, home: Home, clock: Clock) -> None:
        with Library.open(home, clock=clock) as library:
            for number in range(50):
                add_table(library, f"table {number}", b"%d" % number)
            library.maintain()
        data = bytearray(home.database.read_bytes())
        data[4096 * 3:4096 * 6] = b"\xa5" * (4096 * 3)
        home.database.write_bytes(data)
        clock.time += 2 * keeping.DAY
        with pytest.raises(LibraryDamaged) as caught:
            Library.open(home, clock=clock)
        backup = keeping.daily_backups(home)[-1]
        assert str(backup) in caught.value.hint
        home.database.write_bytes(backup.read_bytes())  # as the hint says
        for beside in ("-wal", "-shm"):
            home.database.with_name(home.database.name + beside).unlink(missing_ok=True)
        with Library.open(home, clock=clock) as library:
            assert len(library.datasets.list()) == 50

    def test_the_next_to_open_notices_a_process_that_was_killed(self, home: Home,
                                                                monkeypatch: pytest.MonkeyPatch) -> None:
        Library.open(home).close()
        checked: list[bool] = []
        monkeypatch.setattr(keeping, "maintain_if_due", lambda *_, killed, **__: checked.append(killed))
        Library.open(home).close()
        bury_alive(home)
        with Library.open(home):
            Library.open(home).close()  # the first is alive, which is no reason to check
        assert checked == [False, True, False]

    def test_after_a_kill_the_whole_file_is_checked(self, home: Home) -> None:
        with Library.open(home) as library:
            add_table(library)
        os.utime(home.root / ".checked", (1, 1))
        bury_alive(home)
        with Library.open(home):
            assert (home.root / ".checked").stat().st_mtime > 1
        assert len(keeping.daily_backups(home)) == 1


class TestBackups:
    def test_there_is_one_a_day_and_five_in_all(self, home: Home, clock: Clock) -> None:
        with Library.open(home, clock=clock) as library:
            assert keeping.daily_backups(home) == []
            for day in range(8):
                add_table(library, f"table {day}", b"%d" % day)
                library.maintain()
                library.maintain()
                clock.time += keeping.DAY
        backups = keeping.daily_backups(home)
        assert len(backups) == 5
        with sqlite3.connect(backups[-1]) as connection:
            assert connection.execute("SELECT count(*) FROM datasets").fetchone() == (8,)
        connection.close()
        assert sorted(home.backups.iterdir()) == backups


class TestNoticing:
    def test_the_token_changes_with_every_write_of_anyone_and_with_nothing_else(self, home: Home) -> None:
        with Library.open(home) as mine, Library.open(home) as other:
            token = mine.change_token()
            mine.datasets.list()
            assert mine.change_token() == token
            for writer in (mine, other):
                writer.settings.set("x", token)
                assert mine.change_token() != token
                token = mine.change_token()
                assert mine.change_token() == token


class TestSweeping:
    def test_everything_that_is_named_is_kept_and_the_rest_goes(self, library: Library) -> None:
        version = add_table(library)
        profile = library.objects.put_bytes(b"profile")
        library.datasets.set_profile("penguins", 1, profile)
        model = library.objects.put_manifest({"model.onnx": library.objects.put_bytes(b"onnx")})
        library.runs.apply(add_run(library).id, journal(STARTED, loss(1), *succeeded(model)))
        stray = library.objects.put_bytes(b"stray")
        assert library.holdings.sweep() == []
        assert library.holdings.sweep(0) == [stray]
        library.objects.verify_manifest(version.manifest)
        library.objects.verify_manifest(model)
        assert library.objects.has(profile)

    def test_what_a_run_may_have_made_meanwhile_is_kept_until_it_has_ended(self, library: Library,
                                                                           clock: Clock) -> None:
        add_table(library)
        clock.time = os.stat(library.home.root).st_mtime - 10  # the run is older than the result of it
        run = add_run(library)
        result = library.objects.put_bytes(b"a result that the library has not heard of")
        clock.time += 20
        assert library.holdings.sweep(0) == []
        library.runs.apply(run.id, journal(STARTED, ("failed", {"cause": "user_error", "message": "m", "hint": ""})))
        assert library.holdings.sweep(0) == [result]
