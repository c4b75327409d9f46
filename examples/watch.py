"""Draw every improvement cycle of a Sudoku with a few lines of your own: python examples/watch.py [FILE]"""

import sys
from pathlib import Path

from trmsolve import load

path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "sudoku" / "easy.txt"

for cycle in load("sudoku").refine(path.read_text()):
    print(
        f"view {cycle.view}, cycle {cycle.number}: {cycle.changed.sum()} cells changed, {cycle.violations} rules broken"
    )
    for row in cycle.grid:
        print(" ".join(str(digit) for digit in row))
