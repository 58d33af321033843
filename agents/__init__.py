"""Shell: Faust and wiring only."""
