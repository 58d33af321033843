"""Measurements of the whole way and of its parts: ``python -m benchmarks`` lists and runs them."""
