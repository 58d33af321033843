"""The alerts that a broker holds now, each revision once."""

import logging

from signals.errors import BadMessage
from signals.messages import Alert
from streams.clients import open_consumer, partitions_of, read_to_end
from streams.codec import decode
from streams.topics import ALERTS

__all__ = ["read_stored_alerts"]

logger = logging.getLogger(__name__)


async def read_stored_alerts(bootstrap: str, prefix: str) -> list[Alert]:
    """Return all alerts by the receipt of what they rest on, then id and revision.

    Raises: Unavailable where the broker does not answer or the topic is not there.
    """
    found: dict[tuple[str, int], Alert] = {}
    partitions = await partitions_of(bootstrap, [f"{prefix}{ALERTS.name}"])
    async with open_consumer(bootstrap) as consumer:
        async for record in read_to_end(consumer, partitions):
            try:
                alert: Alert = decode(record.value, Alert)
            except BadMessage as error:
                place = {"partition": record.partition, "offset": record.offset}
                logger.warning("an alert that cannot be read", extra=place | {"why": str(error)})
                continue
            found.setdefault((alert.alert_id, alert.revision), alert)
    return sorted(
        found.values(), key=lambda alert: (alert.known_us, alert.alert_id, alert.revision)
    )
