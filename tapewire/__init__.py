"""Front door: the command line and the few names that a user imports."""
