"""Recordings of solving: every cycle of every view, written as it happens and read again.

Knows puzzles, ARC tasks and files. Knows no torch and no terminal. ``docs/watching.md`` describes
the format.
"""
