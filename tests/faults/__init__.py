"""Real faults against the real program. docs/reliability.md shows what they measured."""
