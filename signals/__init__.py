"""Pure core: what a headline means, what a price did, when it matters."""
