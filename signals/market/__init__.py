"""What a price did: seconds, sessions, paths and measures."""
