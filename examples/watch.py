"""Draws every improvement cycle of a Sudoku in a few lines.

Usage: python examples/watch.py [FILE]
"""

import sys
from pathlib import Path

from trmsolve import load

path = Path(__file__).parent / "sudoku" / "easy.txt"
if len(sys.argv) > 1:
    path = Path(sys.argv[1])

for cycle in load("sudoku").refine(path.read_text()):
    print(
        f"view {cycle.view}, cycle {cycle.number}: {cycle.changed.sum()} cells changed, "
        f"{cycle.violations} rules broken"
    )
    for row in cycle.grid:
        print(" ".join(str(digit) for digit in row))
