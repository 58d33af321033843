"""When it matters: stories, their transitions, and why."""
