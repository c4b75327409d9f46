"""ARC tasks: read, learned on the spot, answered by votes."""
