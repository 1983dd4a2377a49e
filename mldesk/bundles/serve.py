"""A model over HTTP on this machine: POST /predict, GET /schema, /health, /openapi.json and a page at /docs.

The page is our own and comes whole from here: FastAPI's usual one loads its scripts from the network.
"""

from __future__ import annotations

import contextlib
import errno
import json
import socket
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from mldesk.bundles.contract import RowContract
from mldesk.bundles.page import POLICY, render
from mldesk.bundles.predictor import Predictor, worded
from mldesk.core import canonical
from mldesk.core.errors import BadBundle, BadInput, Conflict, MldeskError, WorkFailed
from mldesk.core.sizes import size

MAX_BODY = 16 << 20            # bytes of one request
MAX_ROWS = 50_000              # rows of one request
LARGEST_WHOLE = 2**63          # whole numbers stay below it, whatever their sign; no table holds larger ones
_LOOPBACK = ("127.0.0.1", "localhost")
_SAID = 3                      # broken rules in a refusal
_GRACE = 5                     # seconds that answers under way have when the server is told to end
_JSON_TYPES = {"integer": "integer", "number": "number", "boolean": "boolean"}  # the others travel as strings


class TooLarge(BadInput):
    """A request larger than the server takes."""

    code = "too_large"


def app(predictor: Predictor, *, name: str = "", hosts: tuple[str, ...] = _LOOPBACK,
        held_to: RowContract | None = None, strict: bool = False) -> FastAPI:
    """Build the application. ``hosts``: what a request's Host header may be, so that no web page reaches it by a
    name it made up; empty for any. Rows that break ``held_to`` are warned of, or refused if ``strict``.
    """
    title = name or f"{predictor.target} by {predictor.estimator}"
    api = FastAPI(title=title, version="1", docs_url=None, redoc_url=None,
                  description=f"Predicts {predictor.target!r}. Made by MLDesk.")
    if hosts:
        api.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))
    _add_errors(api)
    description = predictor.describe() | {"name": title, "example": predictor.sample()[:1]}

    @api.post("/predict", summary="Predict rows", openapi_extra=_documented(predictor, description["example"]))
    async def predict(request: Request) -> Response:
        columns = columns_of(await _body(request), predictor)
        return await run_in_threadpool(_answer, predictor, columns, held_to, strict)

    @api.get("/schema", summary="The columns the model takes and gives")
    async def schema() -> Response:
        return _json(description)

    @api.get("/health", summary="Whether the model is ready")
    async def health() -> Response:
        return _json({"status": "ok"})

    @api.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return HTMLResponse(render(description), headers={"Content-Security-Policy": POLICY})

    @api.get("/", include_in_schema=False)
    async def root() -> Response:
        return RedirectResponse("/docs")

    return api


def run(predictor: Predictor, *, host: str = "127.0.0.1", port: int = 8000,
        ready: Callable[[str], object] | None = None, name: str = "", held_to: RowContract | None = None,
        strict: bool = False) -> None:
    """Serve until Ctrl-C or SIGTERM; ``ready`` hears the address once requests are answered. Port 0 takes a free one.

    Raises Conflict for a port that is taken, BadInput for an address this machine does not have.
    """
    with contextlib.closing(_listen(host, port)) as listener:
        url = f"http://{host}:{listener.getsockname()[1]}"
        api = app(predictor, name=name, hosts=_LOOPBACK if host in _LOOPBACK else (), held_to=held_to,
                  strict=strict)
        config = uvicorn.Config(api, log_config=None, access_log=False, lifespan="off", server_header=False,
                                timeout_graceful_shutdown=_GRACE)
        with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises the signal again once it has ended
            _Announcing(config, lambda: ready(url) if ready else None).run(sockets=[listener])


class _Announcing(uvicorn.Server):
    """A server that says when it has begun to listen."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], object]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._ready()


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            why = "is taken by another program" if error.errno == errno.EADDRINUSE else "may not be used by you"
            raise Conflict(f"The port {port} {why}.", hint="Choose another one; 0 takes any that is free.") from error
        raise BadInput(f"This machine cannot listen at {host}:{port}: {error.strerror or error}.") from error


def columns_of(body: Any, predictor: Predictor) -> dict[str, list[Any]]:
    """Return the columns of a request: a list of rows, or {"rows": a list of rows}; every row names every column.

    Raises TooLarge for more than MAX_ROWS rows, BadInput naming the row, counted from 1.
    """
    rows = body.get("rows") if isinstance(body, Mapping) else body
    if isinstance(body, Mapping) and "rows" in body and (unknown := [key for key in body if key != "rows"]):
        raise BadInput(f"The request says {unknown[0]!r:.80}, which this server does not know.",
                       hint='It knows "rows" alone: {"rows": [{"column": value, …}]}.')
    if not isinstance(rows, list) or not rows or not all(isinstance(row, Mapping) for row in rows):
        raise BadInput("Send rows as a JSON list of objects, at least one.",
                       hint='For instance {"rows": [{"column": value, …}]}; /schema names the columns.')
    if len(rows) > MAX_ROWS:
        raise TooLarge(f"The request has {len(rows):,} rows; {MAX_ROWS:,} is the most at once.",
                       hint="Send them in several requests, or use `mldesk predict` for a whole file.")
    names = list(rows[0])
    for number, row in enumerate(rows, start=1):
        for column in predictor.schema:
            if column.name not in row and column.name in names:
                raise BadInput(f"Row {number} has no {column.name!r:.80}.", hint="Send null where a value is missing.")
        for key, value in row.items():
            if isinstance(value, (list, dict)):
                kind = "a list" if isinstance(value, list) else "an object"
                raise BadInput(f"Row {number} has {kind} as {key!r:.80}.",
                               hint="Send text, a number, true, false or null.")
            if isinstance(value, int) and not -LARGEST_WHOLE <= value < LARGEST_WHOLE:
                raise BadInput(f"Row {number} has a whole number as {key!r:.80} that is too large.",
                               hint="Whole numbers go up to 2^63; write a larger one with a decimal point.")
    return {key: [row.get(key) for row in rows] for key in names}


def _answer(predictor: Predictor, columns: Mapping[str, list[Any]], held_to: RowContract | None,
            strict: bool) -> Response:
    broken = [] if held_to is None else held_to.broken_by(columns)
    if broken and strict:
        raise BadInput(" ".join(broken[:_SAID]), hint="Mend these rows; this server answers only rows that keep the "
                       "contract of the data that the model learned from.")
    answer, noticed = predictor.answer(columns)
    names = list(answer)
    rows = [dict(zip(names, row, strict=True)) for row in zip(*(answer[key].tolist() for key in names), strict=True)]
    return _json({"predictions": rows, "warnings": [*broken, *worded(noticed)]})


async def _body(request: Request) -> Any:
    """Return the request's JSON. Raises TooLarge, BadInput."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        # Also keeps web pages out: they may send other kinds of content anywhere without asking.
        raise BadInput("Send JSON, with the header Content-Type: application/json.")
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > MAX_BODY:
            raise TooLarge(f"The request is larger than {size(MAX_BODY)}.", hint="Send fewer rows at once.")
    try:
        return canonical.loads(bytes(data))
    except ValueError as error:
        raise BadInput(f"The request is not JSON: {str(error)[:120]}.") from error


def _json(value: Any, status: int = HTTPStatus.OK) -> Response:
    text = json.dumps(canonical.finite(value), ensure_ascii=False, allow_nan=False)
    return Response(text.encode("utf-8", "replace"), status, media_type="application/json")


def _add_errors(api: FastAPI) -> None:
    """Every refusal in the one shape: {"error": {"code", "message", "hint"}}."""

    @api.exception_handler(MldeskError)
    async def refused(request: Request, error: MldeskError) -> Response:
        del request
        status = HTTPStatus.BAD_REQUEST
        if isinstance(error, (BadBundle, WorkFailed)):
            status = HTTPStatus.INTERNAL_SERVER_ERROR
        elif isinstance(error, TooLarge):
            status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        return _json({"error": {"code": error.code, "message": error.message, "hint": error.hint}}, status)

    @api.exception_handler(HTTPException)
    async def not_here(request: Request, error: HTTPException) -> Response:
        code = HTTPStatus(error.status_code)
        message = f"{request.method} {request.url.path} is not answered here ({code.phrase.lower()})."
        return _json({"error": {"code": code.name.lower(), "message": message, "hint": "See /docs."}}, code)

    @api.exception_handler(Exception)
    async def our_fault(request: Request, error: Exception) -> Response:
        del request, error  # the traceback goes to the server's own terminal
        return _json({"error": {"code": "internal", "message": "Something in MLDesk went wrong on these rows.",
                                "hint": "The terminal of the server shows what."}}, HTTPStatus.INTERNAL_SERVER_ERROR)


def _documented(predictor: Predictor, example: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the OpenAPI description of a request and its answer."""
    cells = {column.name: {"type": [_JSON_TYPES.get(column.type.value, "string"), "null"],
                           "description": column.type.value} for column in predictor.schema}
    row = {"type": "object", "properties": cells, "required": list(cells)}
    rows = {"type": "object", "properties": {"rows": {"type": "array", "items": row, "minItems": 1}},
            "required": ["rows"]}
    output = {"type": "object", "properties": {
        name: {} if index == 0 else {"type": "number"} for index, name in enumerate(predictor.outputs)}}
    answer = {"type": "object", "properties": {"predictions": {"type": "array", "items": output},
                                               "warnings": {"type": "array", "items": {"type": "string"}}}}
    return {"requestBody": {"required": True, "content": {
                "application/json": {"schema": rows, "example": {"rows": example}}}},
            "responses": {"200": {"description": "One prediction per row, in their order",
                                  "content": {"application/json": {"schema": answer}}}}}
