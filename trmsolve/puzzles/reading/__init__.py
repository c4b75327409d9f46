"""What all readers of puzzles share: text out of bytes, tables, JSON values."""
