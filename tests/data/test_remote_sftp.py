"""A table over sftp, from Debian's own sshd on loopback: read once the host is known, and refused in words else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mldesk.core.errors import MldeskError
from mldesk.data import ImportCancelled, ImportRefused, import_table
from mldesk.data.sources.remote import download
from mldesk.wire.objects import ObjectStore
from tests.runners.ssh.box import Account, Sshd, make_key

MOST = 10**8


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Account, Sshd, Path]]:
    """An account with a table, an sshd that lets us in, and our own ~/.ssh."""
    ours = tmp_path / "me"
    (ours / ".ssh").mkdir(parents=True, mode=0o700)
    make_key(ours / ".ssh" / "id_ed25519", "ed25519")
    monkeypatch.setenv("HOME", str(ours))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setattr("mldesk.data.sources.remote.PAUSE", 0.01)
    account = Account()
    folder = account.folder / "files"
    folder.mkdir()
    (folder / "sales.csv").write_text("a,b\n" + "1,two\n" * 1000)
    for path in (folder, folder / "sales.csv"):
        account.give(path)
    sshd = Sshd(account.folder / "sshd", account)
    sshd.allow(ours / ".ssh" / "id_ed25519.pub")
    yield account, sshd, folder
    sshd.stop()
    account.close()


def _know(sshd: Sshd, kind: str = "ed25519") -> None:
    _algorithm, key, *_ = (sshd.folder / f"host_{kind}.pub").read_text().split()
    line = f"[127.0.0.1]:{sshd.port} ssh-ed25519 {key}\n"
    (Path.home() / ".ssh" / "known_hosts").write_text(line)


def test_a_table_over_sftp_is_imported(
    box: tuple[Account, Sshd, Path], store: ObjectStore, scratch: Path
) -> None:
    account, sshd, folder = box
    _know(sshd)
    place = f"sftp://{account.name}@127.0.0.1:{sshd.port}{folder}"
    table = import_table([f"{place}/sales.csv"], store, scratch)
    assert (table.rows, table.source) == (1000, "sales.csv")
    for path, words in (("nothing.csv", "There is no file"), ("", "a folder")):
        with pytest.raises(ImportRefused, match=words):
            download(f"{place}/{path}", scratch, limit=MOST)
    with pytest.raises(ImportRefused, match="more than 100 bytes"):
        download(f"{place}/sales.csv", scratch, limit=100)
    with pytest.raises(ImportCancelled):
        download(f"{place}/sales.csv", scratch, limit=MOST, cancelled=lambda: True)
    assert not list(scratch.iterdir())


def test_a_host_that_is_not_known_or_does_not_let_us_in_is_asked_for_nothing(
    box: tuple[Account, Sshd, Path], scratch: Path
) -> None:
    account, sshd, folder = box
    place = f"127.0.0.1:{sshd.port}{folder}/sales.csv"
    with pytest.raises(MldeskError) as caught:
        download(f"sftp://{account.name}@{place}", scratch, limit=MOST)
    assert "known_hosts" in caught.value.message
    _know(sshd)
    with pytest.raises(MldeskError) as caught:
        download(f"sftp://nobody-here:hush@{place}", scratch, limit=MOST)
    assert "hush" not in str(caught.value)
    assert "\n" not in caught.value.message
    assert not list(scratch.iterdir())
