"""Edges: topics, codec, settings, the clock, metrics, brokers, sources, sinks, replay."""
