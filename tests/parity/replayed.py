"""One replay without a broker, recorded: python -m tests.parity.replayed SETUP SEED WORLD FOLDER.

A process of its own, so that it runs under a hash seed of its own. SETUP is a place in
``setups.ALL + setups.SHORT``, WORLD a name in ``worlds.WORLDS``.
"""

import sys
from pathlib import Path
from random import Random

from signals import names
from streams.codec import encode
from streams.recording import Recorded, write_recording
from tests.chaos.real import real_agents
from tests.interleavings import outputs_in_order
from tests.parity.setups import ALL, CHOOSERS, SHORT, as_sent
from tests.parity.worlds import WORLDS

_RECORDED = (names.JOURNAL, names.REACTIONS, names.ALERTS)


def main(number: int, seed: int, world: str, folder: Path) -> None:
    setup = (ALL + SHORT)[number]
    sent = as_sent(WORLDS[world](), setup, Random(seed))
    outputs = outputs_in_order(
        sent, real_agents(), CHOOSERS[setup.order](seed), repeats=setup.repeated
    )
    topics: dict[str, list[Recorded]] = {topic: [] for topic in _RECORDED}
    for output in outputs:
        if output.topic not in topics:
            continue
        records = topics[output.topic]
        for _ in range(2 if setup.repeated else 1):
            records.append(
                Recorded(
                    topic=output.topic,
                    partition=0,
                    offset=len(records),
                    key=output.key.encode(),
                    value=encode(output.message),
                    timestamp_ms=output.event_us // 1000,
                )
            )
    write_recording(folder, topics)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
