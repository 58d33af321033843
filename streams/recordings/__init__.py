"""The forms of a recording: JSON Lines, for people, and Parquet, for topics of any length."""
