"""Commands for ARC tasks."""
