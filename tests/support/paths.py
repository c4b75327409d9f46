"""Where things lie in a checkout."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
GOLDEN_FOLDER = ROOT / "tests" / "golden"
EXAMPLES = ROOT / "examples"
