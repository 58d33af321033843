"""A local server that speaks Yahoo: the chart's JSON, what yfinance asks besides, and the stream.

It runs in a thread with a loop of its own, so that a test measures its own loop. All figures are
made by hand; numbers are widened from single precision, as Yahoo's are.
"""

import asyncio
import base64
import json
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import WSMsgType, web
from yfinance.pricing_pb2 import PricingData

ZONES = {"KS": "Asia/Seoul", "KQ": "Asia/Seoul"}
_CONSENT = '<form><input name="csrfToken" value="t"/><input name="sessionId" value="s"/></form>'

Answer = Literal["ok", "429", "null", "no_rows", "html", "cut", "bad_json"] | float
Row = tuple[int, float | None, float | None, float | None, float | None, int | None]


@dataclass
class Connection:
    """What the stream does on one connection: these messages, and then an end."""

    messages: Sequence[str] = ()
    end: Literal["close", "abort", "stall", "refuse"] = "stall"


@dataclass
class Yahoo:
    """The server's state, filled by a test; ``requests`` and ``subscriptions`` are what it saw."""

    rows: dict[tuple[str, str], list[Row]] = field(default_factory=dict)
    splits: dict[str, list[tuple[int, int, int]]] = field(default_factory=dict)
    # By ticker, what the next requests get; a number is seconds of delay.
    answers: dict[str, deque[Answer]] = field(default_factory=dict)
    connections: deque[Connection] = field(default_factory=deque)
    unknown: set[str] = field(default_factory=set)  # tickers that Yahoo has never heard of
    requests: list[tuple[str, int, int]] = field(default_factory=list)
    bodies: dict[str, bytes] = field(default_factory=dict)  # whole replies by ticker
    delay_s: float = 0.0  # before each of these
    subscriptions: list[list[str]] = field(default_factory=list)
    opened: int = 0
    url: str = ""

    @property
    def stream_url(self) -> str:
        return self.url.replace("http", "ws", 1) + "/stream"

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/", _cookie),
                web.get("/v1/test/getcrumb", _crumb),
                web.get("/consent", _consent),
                web.post("/v2/collectConsent", _cookie),
                web.get("/copyConsent", _cookie),
                web.get("/v8/finance/chart/{ticker}", self._chart),
                web.get("/stream", self._stream),
            ]
        )
        return app

    async def _chart(self, request: web.Request) -> web.StreamResponse:
        ticker, query = request.match_info["ticker"], request.query
        if ticker in self.unknown:
            error = {"code": "Not Found", "description": "No data found"}
            return web.json_response({"chart": {"result": None, "error": error}}, status=404)
        if ticker in self.bodies:
            await asyncio.sleep(self.delay_s)
            return web.Response(body=self.bodies[ticker], content_type="application/json")
        if "period1" not in query:  # yfinance asks for the time zone
            return web.json_response(chart_document(ticker, "1d", [], []))
        start, end = int(query["period1"]), int(query["period2"])
        self.requests.append((ticker, start, end))
        waiting = self.answers.get(ticker)
        answer = waiting.popleft() if waiting else "ok"
        match answer:
            case "429":
                return web.Response(status=429, text="Too Many Requests")
            case "null":
                return web.json_response({"chart": {"result": None, "error": None}})
            case "html":
                return web.Response(status=502, text="<html>Will be right back...</html>")
            case "bad_json":
                return web.Response(text='{"chart": {"result": [{"meta": {}, "indicators": 3}]}}')
            case "cut":
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            case float():
                await asyncio.sleep(answer)
        interval = query["interval"]
        rows = [row for row in self.rows.get((ticker, interval), ()) if start <= row[0] < end]
        splits = [split for split in self.splits.get(ticker, ()) if start <= split[0] < end]
        shown = [] if answer == "no_rows" else rows
        return web.json_response(chart_document(ticker, interval, shown, splits))

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        self.opened += 1
        connection = self.connections.popleft() if self.connections else Connection()
        if connection.end == "refuse":
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        first = await socket.receive()
        self.subscriptions.append(json.loads(first.data)["subscribe"])
        for message in connection.messages:
            await socket.send_str(message)
        match connection.end:
            case "close":
                await socket.close()
            case "abort":
                # What was sent is read first: an abort throws away what is still under way.
                await asyncio.sleep(0.05)
                assert request.transport is not None
                request.transport.abort()
            case _:
                async for message in socket:
                    if message.type == WSMsgType.CLOSE:
                        break
        return socket


async def _cookie(_: web.Request) -> web.Response:
    reply = web.Response(text="")
    reply.set_cookie("A3", "d=1")
    return reply


async def _crumb(_: web.Request) -> web.Response:
    return web.Response(text="crumb")


async def _consent(_: web.Request) -> web.Response:
    return web.Response(text=_CONSENT, content_type="text/html")


def single(value: float | None) -> float | None:
    """The number as Yahoo's JSON shows it: 47.52 becomes 47.520000457763672."""
    return None if value is None else struct.unpack("<f", struct.pack("<f", value))[0]


def chart_document(
    ticker: str, interval: str, rows: Sequence[Row], splits: Sequence[tuple[int, int, int]]
) -> dict[str, Any]:
    zone = ZONES.get(ticker.rpartition(".")[2], "America/New_York")
    zone = "Asia/Seoul" if ticker == "^KS11" else zone
    meta = {
        "currency": "USD",
        "symbol": ticker,
        "instrumentType": "EQUITY",
        "exchangeTimezoneName": zone,
        "priceHint": 2,
        "dataGranularity": interval,
        "validRanges": ["1d", "5d", "1mo", "max"],
    }
    if not rows:
        return {"chart": {"result": [{"meta": meta, "indicators": {"quote": [{}]}}], "error": None}}
    names = ("open", "high", "low", "close")
    quote: dict[str, list[Any]] = {
        name: [single(row[at]) for row in rows] for at, name in enumerate(names, start=1)
    }
    quote["volume"] = [row[5] for row in rows]
    result = {
        "meta": meta,
        "timestamp": [row[0] for row in rows],
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": quote["close"]}]},
    }
    if splits:
        result["events"] = {
            "splits": {
                str(at): {
                    "date": at,
                    "numerator": new,
                    "denominator": old,
                    "splitRatio": f"{new}:{old}",
                }
                for at, new, old in splits
            }
        }
    return {"chart": {"result": [result], "error": None}}


def price_message(**fields: Any) -> str:
    """A message of the stream: base64 of protobuf, in JSON."""
    data = PricingData(**fields).SerializeToString()
    return json.dumps({"type": "pricing", "message": base64.b64encode(data).decode()})


@contextmanager
def yahoo_server() -> Iterator[Yahoo]:
    """Serve on a free port of loopback until the block ends."""
    yahoo = Yahoo()
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(yahoo.app(), shutdown_timeout=0.2)

    async def start() -> None:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yahoo.url = f"http://{host}:{port}"

    loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield yahoo
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


class LagProbe:
    """How long the test's own loop was held up, at most, beyond sleeps of 5 ms."""

    def __init__(self) -> None:
        self.worst_s = 0.0

    async def _run(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.005)
            self.worst_s = max(self.worst_s, time.perf_counter() - began - 0.005)

    async def __aenter__(self) -> "LagProbe":
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()


async def until(condition: Callable[[], bool], *, timeout_s: float = 20.0) -> None:
    """Wait for what another task or thread brings about."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - what is awaited happens in a library's thread
            await asyncio.sleep(0.005)
