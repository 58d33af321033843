"""The names of the topics, without the prefix of the settings."""

__all__ = ["ALERTS", "DEAD_LETTERS", "EVENTS", "HEADLINES", "JOURNAL", "PRICES", "REACTIONS"]

HEADLINES = "news.headlines.v1"
PRICES = "market.prices.v1"
EVENTS = "events.v1"
JOURNAL = "journal.v1"
REACTIONS = "reactions.v1"
ALERTS = "alerts.v1"
DEAD_LETTERS = "dead-letters.v1"
