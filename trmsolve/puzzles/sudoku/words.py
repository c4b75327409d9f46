"""What the commands say of Sudokus. Nothing here imports numpy."""

from trmsolve.puzzles.words import Words

DIFFICULTIES = ("easy", "medium", "hard", "extreme", "mixed")


class SudokuWords(Words):
    """The words of Sudokus."""

    name = "sudoku"
    difficulties: tuple[str, ...] = DIFFICULTIES
    title = "Sudoku"
    plural = "Sudokus"
    files_help = (
        "Files with Sudokus in any text format, or the cells of one. - reads standard input."
    )
    generate_help = """Every Sudoku has exactly one solution. Its rating is the number of guesses
    that a complete search needs."""
