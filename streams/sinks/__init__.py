"""Sinks: who acts on alerts. A new one is one module."""

__all__: list[str] = []
