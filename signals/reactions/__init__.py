"""The join: what the tape did before and after each event, by subject."""
