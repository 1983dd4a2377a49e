"""What a version says of where it came from: digests of files, folders and what addresses gave."""

from __future__ import annotations

import hashlib
from pathlib import Path

from mldesk.core.paths import Home
from mldesk.library import Library
from mldesk.workbench.datasets import DatasetService
from tests.kinds_of_files import serving


def test_a_version_knows_the_digest_of_a_file_a_folder_and_what_an_address_gave(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    (folder / "deep").mkdir(parents=True)
    texts = {"b.csv": "x,y\n1,2\n", "a.csv": "x,y\n3,4\n5,6\n", "deep/c.csv": "x,y\n7,8\n"}
    for name, text in texts.items():
        (folder / name).write_text(text)
    (folder / "notes.md").write_text("no table")
    home = Home(tmp_path / "home")
    with Library.open(home) as library, serving(folder) as address:
        service = DatasetService(library, home)
        whole = service.import_files([folder], "whole").head
        both = service.import_files([folder / "b.csv", f"{address}/a.csv"], "both").head
    listed = "".join(f"{hashlib.sha256(texts[name].encode()).hexdigest()}  {name}\n" for name in sorted(texts))
    assert whole.reading is not None and both.reading is not None
    assert whole.reading["files"] == [{
        "path": str(folder), "size": sum(map(len, texts.values())), "files": 3,
        "sha256": hashlib.sha256(listed.encode()).hexdigest(),
        "each": [hashlib.sha256(texts[name].encode()).hexdigest() for name in sorted(texts)]}]
    assert both.reading["files"] == [
        {"path": str(folder / "b.csv"), "size": 8, "sha256": hashlib.sha256(texts["b.csv"].encode()).hexdigest()},
        {"path": f"{address}/a.csv", "size": 12, "sha256": hashlib.sha256(texts["a.csv"].encode()).hexdigest()}]
