"""Whatever happens to a bundle's bytes: it is refused with a sentence, or it is the same bundle. Nothing crashes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mldesk.bundles import inspect, verify
from mldesk.bundles.contents import check_content
from mldesk.bundles.wire_scan import check_graph
from mldesk.core.errors import BadBundle
from tests.bundles.making import parts_of

few_hundred = settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@few_hundred
@given(data=st.data())
def test_flipped_bytes_are_refused_or_change_nothing(data: st.DataObject, bundle: Path, tmp_path: Path) -> None:
    good = bundle.read_bytes()
    # Half of the flips in the zip's own structures, which are few of the bytes.
    place = st.integers(0, len(good) - 1) | st.integers(0, 200) | st.integers(len(good) - 900, len(good) - 1)
    spoilt = bytearray(good)
    for position, flip in data.draw(st.lists(st.tuples(place, st.integers(1, 255)), min_size=1, max_size=4)):
        spoilt[position] ^= flip
    _refused_or_the_same(bytes(spoilt), bundle, tmp_path)


@few_hundred
@given(start=st.integers(0, 20_000), length=st.integers(0, 3_000), filler=st.binary(max_size=200))
def test_cut_out_pieces_are_refused_or_change_nothing(
        start: int, length: int, filler: bytes, bundle: Path, tmp_path: Path) -> None:
    good = bundle.read_bytes()
    start %= len(good)
    _refused_or_the_same(good[:start] + filler + good[start + length:], bundle, tmp_path)


def _refused_or_the_same(data: bytes, bundle: Path, folder: Path) -> None:
    path = folder / "spoilt.mlbundle"
    path.write_bytes(data)
    for look in (inspect, verify):
        try:
            report = look(path)
        except BadBundle as error:
            assert str(error) and "\n" not in str(error)
        else:
            assert report.files == inspect(bundle).files
            assert look is inspect or report == inspect(bundle)
    if data == bundle.read_bytes():
        verify(path)


@pytest.mark.parametrize("name", ["model.onnx", "native/model.skops", "model.json"])
@few_hundred
@given(data=st.data())
def test_the_checks_of_single_files_refuse_or_pass_whatever_they_are_given(
        name: str, data: st.DataObject, bundle: Path) -> None:
    good = parts_of(bundle)[name]
    spoilt = bytearray(good)
    flips = st.tuples(st.integers(0, len(good) - 1) | st.integers(0, 300), st.integers(1, 255))
    for position, flip in data.draw(st.lists(flips, min_size=1, max_size=6)):
        spoilt[min(position, len(good) - 1)] ^= flip
    try:
        check_content(name, bytes(spoilt))
    except BadBundle as error:
        assert str(error)


@few_hundred
@given(st.binary(max_size=300))
def test_the_graph_scan_takes_any_bytes(data: bytes) -> None:
    try:
        check_graph(data)
    except BadBundle as error:
        assert str(error)
