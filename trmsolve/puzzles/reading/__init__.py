"""What the readers of all puzzles share: text lines from bytes, columns of a CSV, JSON values."""
