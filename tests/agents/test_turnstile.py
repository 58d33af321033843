import asyncio

from agents.turnstile import AHEAD_US, Turnstile


async def _arrive(turnstile: Turnstile, name: str, order: list[str]) -> None:
    async with turnstile.turn(name):
        order.append(name)
        turnstile.note(name, None)


async def test_the_oldest_record_goes_first():
    turnstile, order = Turnstile(), []
    async with turnstile.turn("first"):
        for name, oldest in (("new", 30), ("old", 10), ("middle", 20)):
            turnstile.note(name, oldest)
        waiting = [asyncio.create_task(_arrive(turnstile, n, order)) for n in ("new", "old")]
        waiting.append(asyncio.create_task(_arrive(turnstile, "middle", order)))
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    assert order == ["old", "middle", "new"]


async def test_nobody_runs_ahead_of_one_that_waits_for_acknowledgements():
    turnstile, order = Turnstile(), []
    turnstile.note("behind", 10)
    turnstile.note("ahead", 11 + AHEAD_US)
    waiting = asyncio.create_task(_arrive(turnstile, "ahead", order))
    await asyncio.sleep(0)
    assert order == []
    await _arrive(turnstile, "behind", order)
    await waiting
    assert order == ["behind", "ahead"]


async def test_a_waiter_that_is_cancelled_leaves_the_way_free():
    turnstile, order = Turnstile(), []
    async with turnstile.turn("first"):
        waiting = asyncio.create_task(_arrive(turnstile, "gone", order))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    await _arrive(turnstile, "next", order)
    assert order == ["next"]
