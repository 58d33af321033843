"""The event study over many alerts: statistics, tables, the report. Extra ``backtest``."""
