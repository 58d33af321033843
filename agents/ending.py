"""End the process at once, so that what is not acknowledged is done again by the next one."""

import logging
import os
import sys

from signals.errors import ConfigError

__all__ = ["end_process"]

logger = logging.getLogger(__name__)


def end_process(where: str, error: BaseException) -> None:
    """Log one line and end the process: exit code 2 for a ConfigError, else 1. Never returns."""
    is_config = isinstance(error, ConfigError)
    logger.critical(
        "worker ends: %s in %s: %s",
        type(error).__name__,
        where,
        error,
        exc_info=None if is_config else error,
    )
    for handler in logging.getLogger().handlers:
        handler.flush()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(2 if is_config else 1)
