"""Live prices from Yahoo's stream, with a reconnect and a watch of our own.

yfinance's ``AsyncWebSocket`` connects, subscribes, repeats the subscription and decodes. Its
``listen`` is not used: after a clean close it spins without yielding, and after an abort it keeps
the dead connection.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from itertools import count
from typing import Any

from signals.errors import BadMessage, ConfigError, Unavailable
from signals.market.markets import BENCHMARKS, mic_of
from signals.messages import Micros, PriceSample
from signals.policy import SECOND_US
from streams.clock import monotonic_s, now_us
from streams.sources.backoff import Backoff
from streams.sources.benchmarks import LatestBenchmarks
from streams.sources.live import OnFault
from streams.sources.yahoo_benchmarks import BenchmarkBars
from streams.sources.yahoo_client import load_yfinance
from streams.sources.yahoo_trades import STREAM, Repeats, Trade, read_trade
from streams.tables import load_sessions

__all__ = ["YahooStream"]

_URL = "wss://streamer.finance.yahoo.com/?version=2"
_BURST = 50
_LEAST_WAIT_S = 0.01
_CLOSE_S = 1.0  # a peer that has gone silent does not answer a close


class YahooStream:
    """A live source of trades from Yahoo's stream.

    A connection that closes, breaks, is refused, or brings no new price for a while in which a
    subscribed market has its regular session is told and made anew, with growing waits. What the
    stream sends again is given once. What it sends while there is no connection is not kept for
    us: the bars (``YahooBars``) fill that in.
    """

    name = STREAM

    def __init__(
        self,
        *,
        tickers: Sequence[str],
        on_fault: OnFault,
        clock: Callable[[], Micros] = now_us,
        benchmarks: Mapping[str, str] = BENCHMARKS,
        stream_url: str = _URL,
        liveness_s: float = 90.0,
        backoff_s: tuple[float, float] = (1.0, 60.0),
    ) -> None:
        """Import yfinance, which takes about a second.

        Args:
            tickers: Yahoo style; the benchmarks of their markets are subscribed to as well.
            on_fault: told of what cannot be read and of each lost connection; the source goes on.
            clock: the wall clock.
            benchmarks: the benchmark's ticker by MIC.
            stream_url: another server that speaks Yahoo's stream.
            liveness_s: seconds of an open market without a new price after which to reconnect.
            backoff_s: the first and the longest wait before a new connection.
        Raises: ConfigError where yfinance is not installed, no ticker is named, or the URL is none.
        """
        if not tickers:
            raise ConfigError("name at least one ticker for Yahoo's stream, like IREN")
        if not stream_url.startswith(("ws://", "wss://")):
            raise ConfigError(
                f"stream_url must begin with wss:// or ws://, was {stream_url!r:.100}"
            )
        self._yfinance = load_yfinance()
        followed = (BenchmarkBars(benchmarks).of(ticker) for ticker in tickers)
        self._tickers = tuple(dict.fromkeys([*tickers, *(name for name in followed if name)]))
        self._subscribed = frozenset(self._tickers)
        # One ticker a market: they share its hours.
        self._watched = tuple({mic_of(ticker): ticker for ticker in self._tickers}.values())
        self._on_fault = on_fault
        self._clock = clock
        self._benchmarks = benchmarks
        self._stream_url = stream_url
        self._liveness_s = liveness_s
        self._backoff = Backoff(first_s=backoff_s[0], longest_s=backoff_s[1])
        self._sessions = load_sessions()

    async def samples(self, after: Mapping[str, Micros]) -> AsyncIterator[PriceSample]:
        """Yield the trades as they come, until closed.

        Args:
            after: by ticker, the newest trade's time that is held; nothing up to it is given again.
        """
        repeats = Repeats(after)
        latest = LatestBenchmarks(self._benchmarks)
        while True:
            fault = "was closed"
            try:
                async with aclosing(self._connection(repeats)) as trades:
                    async for trade in trades:
                        self._backoff.succeeded()
                        sample = self._sample(trade)
                        latest.see(sample)
                        yield latest.stamp(sample)
            except Unavailable as error:
                fault = str(error)
            wait_s = self._backoff.failed()
            self._on_fault(Unavailable(f"Yahoo's stream {fault}; connecting again in {wait_s:g} s"))
            await asyncio.sleep(wait_s)

    async def _connection(self, repeats: Repeats) -> AsyncGenerator[Trade]:
        """Yield the new trades of one connection. Raises: Unavailable when it is over."""
        from websockets.asyncio.client import connect
        from websockets.exceptions import WebSocketException

        socket = self._yfinance.AsyncWebSocket(url=self._stream_url, verbose=False)
        try:
            # Connected here, since a burst that was packed is unpacked in one turn of the loop.
            socket._ws = await connect(self._stream_url, compression=None)
            await socket.subscribe(list(self._tickers))
            newest_s = monotonic_s()
            for number in count(1):
                if number % _BURST == 0:
                    # A socket that has messages hands them out without letting the loop turn.
                    await asyncio.sleep(0)
                text = await self._next(socket, newest_s)
                trade = self._read(socket, text)
                if trade is not None and repeats.is_new(trade):
                    yield trade
                    # Not before: what the caller takes for it is no silence of the feed's.
                    newest_s = monotonic_s()
        except (WebSocketException, OSError, EOFError) as error:
            raise Unavailable(f"broke: {type(error).__name__}: {error!s:.200}") from error
        finally:
            await _close(socket)

    async def _next(self, socket: Any, newest_s: float) -> str | bytes:
        """Return the next message. Raises: Unavailable when the feed has gone silent."""
        while True:
            idle_s = monotonic_s() - newest_s
            open_s = self._open_s(idle_s) if idle_s >= self._liveness_s else idle_s
            if open_s >= self._liveness_s:
                raise Unavailable(f"gave no new price for {idle_s:.1f} s of an open market")
            with suppress(TimeoutError):
                # A message that comes at the same moment stays in the socket.
                async with asyncio.timeout(max(self._liveness_s - open_s, _LEAST_WAIT_S)):
                    text: str | bytes = await socket._ws.recv()
                    return text

    def _open_s(self, idle_s: float) -> float:
        """Return for how long of the last seconds a subscribed market had its regular session."""
        now = self._clock()
        since = Micros(now - round(idle_s * SECOND_US))
        spans = (self._sessions.open_us(ticker, since, now) for ticker in self._watched)
        return max(spans) / SECOND_US

    def _read(self, socket: Any, text: str | bytes) -> Trade | None:
        try:
            return read_trade(
                _decoded(socket, text), tickers=self._subscribed, received_us=self._clock()
            )
        except BadMessage as error:
            self._on_fault(error)
            return None

    def _sample(self, trade: Trade) -> PriceSample:
        # Before the open and after the close the day's volume is not that of a session so far.
        is_regular = self._sessions.at(trade.ticker, trade.event_us) is not None
        return trade.sample(is_regular=is_regular)


def _decoded(socket: Any, text: str | bytes) -> dict[str, Any]:
    """Return the fields of a message's protobuf. Raises: BadMessage."""
    from google.protobuf.message import DecodeError

    try:
        envelope = json.loads(text)
    except ValueError as error:
        raise BadMessage("not_json", STREAM, f"must be JSON, was {text!r:.80}") from error
    encoded = envelope.get("message") if isinstance(envelope, dict) else None
    if not isinstance(encoded, str) or not encoded:
        raise BadMessage("missing_field", f"{STREAM} $.message", f"must be text, was {text!r:.80}")
    try:
        fields: dict[str, Any] = socket._decode_message(encoded)
    except (ValueError, DecodeError) as error:
        detail = f"must be base64 of a price, was {encoded!r:.80}"
        raise BadMessage("bad_value", f"{STREAM} $.message", detail) from error
    return fields


async def _close(socket: Any) -> None:
    """Close a connection and end the task that repeats the subscription."""
    heartbeat = socket._heartbeat_task
    with suppress(TimeoutError):
        async with asyncio.timeout(_CLOSE_S):
            await socket.close()
    if socket._ws is not None:
        socket._ws.transport.abort()
    if heartbeat is not None:
        # It may have failed on a dead connection: that is told once, by the reader.
        await asyncio.gather(heartbeat, return_exceptions=True)
