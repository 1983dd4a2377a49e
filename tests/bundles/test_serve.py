"""The server: answers, refusals, a page without a network, and an end that is clean."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import httpx
import pytest

from mldesk.bundles import Predictor
from mldesk.bundles import serve as server
from mldesk.core.errors import BadInput, Conflict
from mldesk.training.export.parity import deviation
from tests.bundles.making import StoredModel

SERVING = """
import sys
from pathlib import Path
from mldesk.bundles import Predictor, serve as server
server.run(Predictor.open(Path(sys.argv[1])), port=0, ready=lambda url: print(url, flush=True))
print("ended", flush=True)
"""


class Client:
    """Asks the application without a network (Starlette's own test client wants another package)."""

    def __init__(self, app: Any) -> None:
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return asyncio.run(self._ask("GET", path, options))

    def post(self, path: str, **options: Any) -> httpx.Response:
        return asyncio.run(self._ask("POST", path, options))

    async def _ask(self, method: str, path: str, options: dict[str, Any]) -> httpx.Response:
        async with httpx.AsyncClient(transport=self._transport, base_url="http://127.0.0.1") as client:
            return await client.request(method, path, **options)


@pytest.fixture(scope="module")
def client(model: StoredModel) -> Client:
    return Client(server.app(Predictor.from_manifest(model.digest, model.store), name="a <b>model"))


def _rows(model: StoredModel, count: int) -> list[dict]:
    return [{name: values[row] for name, values in model.rows.items()} for row in range(count)]


def _error(answer, status: int) -> dict:
    assert answer.status_code == status
    assert set(answer.json()) == {"error"} and set(answer.json()["error"]) == {"code", "message", "hint"}
    assert answer.json()["error"]["message"].endswith(".")
    return answer.json()["error"]


def test_rows_are_predicted_in_their_order(client: Client, model: StoredModel) -> None:
    for body in (_rows(model, 20), {"rows": _rows(model, 20)}):
        answer = client.post("/predict", json=body)
        assert answer.status_code == 200
        predictions = answer.json()["predictions"]
        assert list(predictions[0]) == list(model.expected)
        assert [row["prediction"] for row in predictions] == model.expected["prediction"][:20]
        assert deviation([row["probability_>50K"] for row in predictions],
                         model.expected["probability_>50K"][:20]) < 1e-6


def test_what_is_odd_about_the_rows_is_said_with_the_answer(client: Client, model: StoredModel) -> None:
    row = {**_rows(model, 1)[0], "sex": "Martian", "shoe size": 43}
    warnings = client.post("/predict", json=[row]).json()["warnings"]
    assert "'sex' holds values that training never saw, or hardly ever, in 1 row." in warnings
    assert "Columns the model does not know are ignored: 'shoe size'." in warnings
    assert client.post("/predict", json=_rows(model, 1)).json()["warnings"] == []


@pytest.mark.parametrize(("body", "message"), [
    ([], "at least one"), ({}, "at least one"), (7, "at least one"), ([1], "at least one"),
    ({"rows": [{"age": 1}]}, "has no columns 'workclass'"),
    ({"rows": [{"age": 1}], "interval": 0.9}, "says 'interval'"),
])
def test_rows_that_cannot_be_used_are_refused_with_a_sentence(body: object, message: str, client: Client) -> None:
    assert message in _error(client.post("/predict", json=body), 400)["message"]


def test_a_row_that_lacks_a_column_or_holds_a_list_is_named(client: Client, model: StoredModel) -> None:
    rows = _rows(model, 3)
    del rows[2]["age"]
    assert _error(client.post("/predict", json=rows), 400)["message"] == "Row 3 has no 'age'."
    rows = _rows(model, 3)
    rows[1]["age"] = [40]
    assert _error(client.post("/predict", json=rows), 400)["message"] == "Row 2 has a list as 'age'."
    rows[1]["age"] = "forty"
    assert "Row 2 of 'age' is 'forty'" in _error(client.post("/predict", json=rows), 400)["message"]


@pytest.mark.parametrize("number", [2**63, -10**400])
def test_a_whole_number_beyond_all_tables_is_refused_in_a_sentence(
        client: Client, model: StoredModel, number: int) -> None:
    row = {**_rows(model, 1)[0], "age": number}
    assert "Row 1 has a whole number as 'age'" in _error(client.post("/predict", json=[row]), 400)["message"]


def test_a_number_with_more_digits_than_python_reads_is_refused_in_our_words(client: Client) -> None:
    data = b'[{"age": ' + b"9" * 5000 + b"}]"
    answer = client.post("/predict", content=data, headers={"Content-Type": "application/json"})
    message = _error(answer, 400)["message"]
    assert message == "The request is not JSON: a whole number has more digits than can be read."


def test_more_rows_than_are_taken_at_once_are_refused(
        client: Client, model: StoredModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_ROWS", 3)
    assert client.post("/predict", json=_rows(model, 3)).status_code == 200
    assert "4 rows; 3 is the most" in _error(client.post("/predict", json=_rows(model, 4)), 413)["message"]


@pytest.mark.parametrize("data", [b"", b"{", b"[" * 200_000, b'[{"age": NaN}]', b"\xff"])
def test_a_body_that_is_not_json_is_refused(data: bytes, client: Client) -> None:
    answer = client.post("/predict", content=data, headers={"Content-Type": "application/json"})
    assert "not JSON" in _error(answer, 400)["message"]


def test_a_body_that_is_too_large_is_refused_before_it_is_read_whole(
        client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_BODY", 1 << 20)
    answer = client.post("/predict", content=b"[" + b" " * (2 << 20), headers={"Content-Type": "application/json"})
    assert _error(answer, 413)["code"] == "too_large"


def test_a_web_page_elsewhere_cannot_use_the_server(client: Client, model: StoredModel) -> None:
    text = json.dumps(_rows(model, 1))
    answer = client.post("/predict", content=text, headers={"Content-Type": "text/plain"})
    assert "Content-Type" in _error(answer, 400)["message"]
    assert client.get("/schema", headers={"Host": "evil.example"}).status_code == 400


def test_the_schema_names_columns_and_outputs_and_gives_an_example(client: Client, model: StoredModel) -> None:
    schema = client.get("/schema").json()
    assert {"name": "age", "type": "number", "role": "numeric"} in schema["input"]
    assert schema["output"] == list(model.expected)
    assert client.post("/predict", json=schema["example"]).status_code == 200
    assert client.get("/health").json() == {"status": "ok"}


def test_the_openapi_description_tells_what_to_send(client: Client) -> None:
    described = client.get("/openapi.json").json()
    body = described["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"]["properties"]["rows"]["items"]["properties"]["age"]["type"] == ["number", "null"]
    assert client.post("/predict", json=body["example"]).status_code == 200


def test_the_page_needs_no_network_and_runs_no_script_but_its_own(client: Client) -> None:
    page = client.get("/", follow_redirects=True)
    assert page.status_code == 200
    assert not re.search(r"(src|href)=|https?://|@import|url\(", page.text)
    assert "a &lt;b&gt;model" in page.text and "<b>model" not in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in page.headers["Content-Security-Policy"]
    assert 'name="age"' in page.text and "/predict" in page.text


def test_what_is_not_there_is_refused_in_the_same_shape(client: Client) -> None:
    assert _error(client.get("/nothing"), 404)["code"] == "not_found"
    assert _error(client.get("/predict"), 405)["code"] == "method_not_allowed"


def test_our_own_fault_is_answered_without_a_traceback(
        client: Client, model: StoredModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(server, "_answer", broken)
    answer = client.post("/predict", json=_rows(model, 1))
    assert "secret" not in answer.text and _error(answer, 500)["code"] == "internal"


def test_a_port_that_is_taken_or_an_address_we_lack_is_said(model: StoredModel) -> None:
    predictor = Predictor.from_manifest(model.digest, model.store)
    with server._listen("127.0.0.1", 0) as taken, pytest.raises(Conflict, match="taken by another program"):
        server.run(predictor, port=taken.getsockname()[1])
    with pytest.raises(BadInput, match="cannot listen"):
        server.run(predictor, host="192.0.2.1", port=0)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_served_bundle_answers_and_ends_cleanly(
        end: signal.Signals, bundle: Path, model: StoredModel) -> None:
    process = subprocess.Popen([sys.executable, "-c", SERVING, str(bundle)], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    try:
        url = process.stdout.readline().strip()
        request = urllib.request.Request(f"{url}/predict", json.dumps(_rows(model, 2)).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            predictions = json.load(answer)["predictions"]
        assert [row["prediction"] for row in predictions] == model.expected["prediction"][:2]
        process.send_signal(end)
        out, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert errors == ""
    if end is signal.SIGINT:
        assert (process.returncode, out) == (0, "ended\n")
