"""Files as people have them are read as what they show, or refused by what they are.

The files stand in tests/files.
"""

import io

import numpy as np
import pytest

from tests.support.paths import ROOT
from trmsolve.arc.read import read_tasks
from trmsolve.arc.task import ArcTask
from trmsolve.errors import PuzzleError
from trmsolve.puzzles.maze.cells import GOAL, START
from trmsolve.puzzles.maze.form import write_maze
from trmsolve.puzzles.maze.image import read_image
from trmsolve.puzzles.maze.labels import label
from trmsolve.puzzles.maze.task import MazeFlow
from trmsolve.puzzles.maze.text import read_mazes
from trmsolve.puzzles.sudoku.board import SYMBOLS
from trmsolve.puzzles.sudoku.form import write_sudoku
from trmsolve.puzzles.sudoku.text import read_sudokus
from trmsolve.puzzles.values import Puzzle

FILES = ROOT / "tests" / "files"

EASY = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
ANSWER = "534678912672195348198342567859761423426853791713924856961537284287419635345286179"
OTHER = "..3.2.6..9..3.5..1..18.64....81.29..7.......8..67.82....26.95..8..2.3..9..5.1.3.."
BANDS = "379....14.6..1..7..8...9..5435..7....9..4..2....8..4369..7...8..4..8..5.85....249"

SUDOKUS = {
    "box_unicode_indented.txt": [EASY],
    "bullet_blank.txt": [EASY],
    "c_array.txt": [EASY],
    "csv_81cols_blank.csv": [EASY],
    "csv_grid_9cols.csv": [EASY],
    "csv_pandas_index.csv": [EASY],
    "double_spaced_rows.txt": [EASY],
    "forum_code_fence.md": [EASY],
    "forum_quote.txt": [EASY],
    "fullwidth.txt": [EASY],
    "hodoku_library.txt": [EASY],
    "html.html": [EASY],
    "intro_9.txt": [EASY],
    "min_bars.txt": [EASY],
    "min_indented_bars.txt": [EASY],
    "numpy_repr.txt": [EASY],
    "pair_space.txt": [EASY],
    "python_assign.txt": [EASY],
    "python_list.py_txt": [EASY],
    "question_blank.txt": [EASY],
    "rating_first.txt": [EASY],
    "row_col_labels.txt": [EASY],
    "ss_simple_sudoku.ss": [EASY],
    "sugoku_board.json": [EASY],
    "tabs_empty.txt": [EASY],
    "tdoku_colon.txt": [EASY],
    "url_sudokuexchange.txt": [EASY],
    "bank_sudokuexchange.txt": [EASY, EASY],
    "board_blank_between_bands.txt": [BANDS],
    "empty_grid.txt": ["." * 81],
    "jsonl_puzzle.jsonl": [EASY, EASY],
    "opensudoku.opensudoku": [EASY, EASY],
    "pair_two_puzzles_line.txt": [EASY, OTHER],
    "real_comma_pairs.csv": [
        ".13.....22.....48....7...19...9..8..7......2....3.......263.9..4.9.7.6....149...8"
    ],
    "rust_crate_block_comments.txt": [OTHER],
}
SIZES = {
    "grid4x4.txt": ["1..4", "..1.", ".3..", "4..2"],
    "grid6x6.txt": ["1..4..", "..6..1", ".3..1.", "4..2..", "...1..", "6....5"],
    "grid12_numbers.txt": [
        "1..4..7.....",
        "...7..A1....",
        "....8......B",
        "2........C..",
        ".A...5......",
        "...B....4..1",
        "3..6.......4",
        "......1.3...",
        "..B...5..8..",
        ".....3......",
        "....C.....7.",
        "C..A...5....",
    ],
}
LISTS = {"hard_named.sdm": 8, "no_solution.sdm": 5, "several_solutions.sdm": 5}
ANSWERED = ("jsonl_puzzle.jsonl", "pair_space.txt", "tdoku_colon.txt")
REFUSED = {
    "candgrid_hodoku.txt": "these are candidate lists",
    "csv_leading_zero_lost.csv": "dropped zeros at the front",
    "csv_sci.csv": "a spreadsheet has rounded the puzzle to '4.3E+78'",
    "grid16_line.txt": "a Sudoku of 16 x 16 without a clue",
}
ROOM = ["#######", "#S    #", "# ### #", "#   #G#", "#######"]
MAZES = {
    "maze_01_2_3.txt": ROOM,
    "maze_F_finish.txt": ["#####", "#S  #", "# # #", "#  G#", "#####"],
    "maze_cs50_AB.txt": ["#####G#", "##### #", "####  #", "#### ##", "     ##", "S######"],
    "maze_emoji.txt": ["#####", "#S  #", "# # #", "# #G#", "#####"],
    "maze_numpy.txt": ["#####", "#S  #", "# # #", "# #G#", "#####"],
    "maze_o_walls_SG.txt": ROOM,
    "maze_openings.txt": ["#S#######", "#       #", "# ##### #", "#     # #", "#######G#"],
    "maze_pacman.lay": [
        "########",
        "#     S#",
        "# #### #",
        "# #G   #",
        "# ######",
        "#      #",
        "########",
    ],
    "maze_plus_walls.txt": [
        "#######",
        "#S#   #",
        "# ### #",
        "#     #",
        "##### #",
        "#G    #",
        "#######",
    ],
    "maze_size_header.txt": [
        " #########",
        " ##       ",
        "    ##### ",
        "# ### # # ",
        "#     #   ",
        "# ## ###S#",
        "# #   ####",
        "    #     ",
        "#########G",
    ],
    "maze_two_goals.txt": ["#######", "#S   G#", "# ### #", "#     #", "#######"],
    "maze_zero_walls_SG.txt": ROOM,
}
NOTED = {
    "maze_openings.txt": "the start is the opening at row 1, column 2",
    "maze_size_header.txt": "counting from 0",
    "maze_two_goals.txt": "the nearest of 2 goals",
}
TASKS = {
    "arc_empty_test_output.json": ["arc_empty_test_output"],
    "arc_floats.json": ["arc_floats"],
    "arc_jsonl_task_id.jsonl": ["t0", "t1"],
    "arc_rearc_pairs.json": ["arc_rearc_pairs"],
}
NO_TASKS = {"arc_html.json": "a web page (HTML)", "arc_lfs.json": "a Git LFS pointer"}


def stream(name: str) -> io.BytesIO:
    return io.BytesIO((FILES / name).read_bytes())


def test_every_file_is_read_here() -> None:
    known = [*SUDOKUS, *SIZES, *LISTS, *REFUSED, *MAZES, *TASKS, *NO_TASKS]
    assert sorted(known) == sorted(path.name for path in FILES.iterdir())


@pytest.mark.parametrize("name", SUDOKUS)
def test_sudokus(name: str) -> None:
    found = list(read_sudokus(stream(name), name))
    assert all(isinstance(puzzle, Puzzle) for puzzle in found), [str(item) for item in found]
    puzzles = [item for item in found if isinstance(item, Puzzle)]
    cells = ["".join(map(str, puzzle.grid.ravel().tolist())) for puzzle in puzzles]
    assert [line.replace("0", ".") for line in cells] == SUDOKUS[name]
    for puzzle in puzzles:
        if name in ANSWERED:
            assert puzzle.answer is not None
            assert "".join(map(str, puzzle.answer.ravel().tolist())) == ANSWER


@pytest.mark.parametrize("name", SIZES)
def test_sudokus_of_other_sizes(name: str) -> None:
    (puzzle,) = read_sudokus(stream(name), name)
    assert isinstance(puzzle, Puzzle), str(puzzle)
    assert ["".join(SYMBOLS[cell] for cell in row) for row in puzzle.grid.tolist()] == SIZES[name]
    assert write_sudoku(puzzle.grid, puzzle.form) == (FILES / name).read_text()


@pytest.mark.parametrize("name", LISTS)
def test_lists_of_sudokus(name: str) -> None:
    found = list(read_sudokus(stream(name), name))
    lines = (FILES / name).read_text().split()
    assert len(found) == len(lines) == LISTS[name]
    for puzzle, line in zip(found, lines, strict=True):
        assert isinstance(puzzle, Puzzle)
        assert "".join(map(str, puzzle.grid.ravel().tolist())) == line.replace(".", "0")


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_sudoku_is_refused_by_what_it_is(name: str) -> None:
    (error,) = read_sudokus(stream(name), name)
    assert isinstance(error, PuzzleError)
    assert REFUSED[name] in error.problem


@pytest.mark.parametrize("name", MAZES)
def test_mazes(name: str) -> None:
    (puzzle,) = read_mazes(stream(name), name)
    assert isinstance(puzzle, Puzzle), str(puzzle)
    rows = ["".join("# SG"[cell] for cell in row) for row in puzzle.grid.tolist()]
    assert rows == MAZES[name]
    assert NOTED.get(name, "") in puzzle.note


@pytest.mark.parametrize("name", TASKS)
def test_arc_tasks(name: str) -> None:
    found = list(read_tasks(stream(name), name))
    assert all(isinstance(task, ArcTask) for task in found), [str(item) for item in found]
    tasks = [item for item in found if isinstance(item, ArcTask)]
    assert [task.name for task in tasks] == TASKS[name]
    outputs = [test.output is None for task in tasks for test in task.tests]
    assert outputs == [name == "arc_empty_test_output.json"] * len(tasks)


@pytest.mark.parametrize("name", NO_TASKS)
def test_what_is_no_task_is_refused_by_what_it_is(name: str) -> None:
    (error,) = read_tasks(stream(name), name)
    assert isinstance(error, PuzzleError)
    assert error.problem.startswith(NO_TASKS[name])


# Pictures

WALLS = np.array([[char == "#" for char in row] for row in MAZES["maze_openings.txt"]])


def picture(scale: int, kind: str, smooth: bool = False, lines: bool = False) -> bytes:
    """The walls of maze_openings.txt in black on white, with two openings."""
    image_module = pytest.importorskip("PIL.Image")
    white = np.ones(WALLS.shape, bool)
    white[WALLS] = False
    pixels = np.where(white, 255, 0).astype(np.uint8).repeat(scale, 0).repeat(scale, 1)
    if lines:
        pixels[::scale] = 128
        pixels[:, ::scale] = 128
    image = image_module.fromarray(pixels).convert("RGB")
    if smooth:
        width, height = image.size
        image = image.resize((width * 5 // 4 + 1, height * 5 // 4 + 1), image_module.BILINEAR)
    data = io.BytesIO()
    image.save(data, kind)
    return data.getvalue()


@pytest.mark.parametrize(
    ("scale", "kind", "smooth", "lines"),
    [
        (1, "PNG", False, False),
        (8, "PNG", False, False),
        (12, "PNG", True, False),
        (12, "PNG", False, True),
        (16, "JPEG", False, False),
        (8, "GIF", False, False),
    ],
)
def test_pictures_with_two_openings(scale: int, kind: str, smooth: bool, lines: bool) -> None:
    puzzle = read_image(io.BytesIO(picture(scale, kind, smooth, lines)), "m")
    rows = ["".join("# SG"[cell] for cell in row) for row in puzzle.grid.tolist()]
    assert rows == MAZES["maze_openings.txt"]
    assert "the start is the opening at row 1, column 2" in puzzle.note
    assert ("each cell is read by its middle" in puzzle.note) == (smooth or lines)


def test_an_answer_in_thin_walls_is_drawn_in_them() -> None:
    (puzzle,) = read_mazes(stream("maze_plus_walls.txt"), "f")
    assert isinstance(puzzle, Puzzle)
    answer = puzzle.grid.copy()
    answer[2, 1] = answer[3, 1] = 4
    assert np.isin(puzzle.grid, (START, GOAL)).sum() == 2
    lines = write_maze(answer, puzzle.form).splitlines()
    assert lines[1:4] == ["| S |       |", "+ o +---+   +", "| o         |"]


UNDERSCORES = {  # what is read, and how a path is drawn there
    "narrow": (
        ["   _ _ _", "|  _ _  |", "|_   _| |", "|_ _ _  |"],
        ["   _ _ _", "|o _ _  |", "|_oo _| |", "|_ _o_oo|"],
    ),
    "wide": (
        ["  ___ ___ ___", " |S  |       |", " |   |    ___|", " |_______  G |"],
        ["  ___ ___ ___", " |S  |       |", " | o |    ___|", " |_o_o_o_o G |"],
    ),
    "two characters": (
        ["    __ __", "|   __   |", "|__    __|", "|__ __   |"],
        ["    __ __", "|o  __   |", "|o_oo  __|", "|__ o_oo |"],
    ),
}


@pytest.mark.parametrize("drawing", UNDERSCORES)
def test_an_answer_in_underscores_is_drawn_in_them_and_read_again(drawing: str) -> None:
    rows, answered = UNDERSCORES[drawing]
    (puzzle,) = read_mazes(io.BytesIO("\n".join(rows).encode()), "f")
    assert isinstance(puzzle, Puzzle), str(puzzle)
    answer = label(puzzle.grid[None])[0]
    assert write_maze(answer, puzzle.form).splitlines() == answered
    (again,) = read_mazes(io.BytesIO("\n".join(answered).encode()), "f")
    assert isinstance(again, Puzzle), str(again)
    assert np.array_equal(again.grid, puzzle.grid)
    assert "o" not in write_maze(again.grid, again.form)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (
            [" _______", "|  _ S  |", "|_ _|_ G|", "|_______|"],
            "f:2:6: 'S' hides whether a wall is below its cell: write '_' or a space there, and "
            "give its place, 2,6, by --start or --goal",
        ),
        ([" _ _ _", "|  _|_ |", "|_ _ _||"], "f:2:1: '|': these lines are no walls"),
    ],
)
def test_unclear_underscores_are_refused(rows: list[str], problem: str) -> None:
    (error,) = read_mazes(io.BytesIO("\n".join(rows).encode()), "f")
    assert isinstance(error, PuzzleError)
    assert str(error).startswith(problem)


# Green and red are start and goal; of other colours, the one that is named first is the start.
ENDS = [
    ((0, 0, 255), (255, 0, 0), "the start is the blue cell at row 2, column 2"),
    ((255, 165, 0), (128, 0, 128), "the start is the yellow cell at row 2, column 2"),
    ((255, 0, 0), (255, 0, 0), "the start is the red cell at row 2, column 2"),
    ((0, 255, 0), (255, 0, 0), ""),
]


@pytest.mark.parametrize(("start", "goal", "note"), ENDS)
@pytest.mark.parametrize(("scale", "kind"), [(1, "PNG"), (6, "PNG"), (20, "JPEG")])
def test_pictures_with_ends_of_any_two_colours(
    start: tuple[int, int, int], goal: tuple[int, int, int], note: str, scale: int, kind: str
) -> None:
    image_module = pytest.importorskip("PIL.Image")
    colours = np.array([(0, 0, 0), (255, 255, 255), start, goal], np.uint8)
    cells = np.array([["# SG".index(char) for char in row] for row in ROOM])
    image = image_module.fromarray(colours[cells].repeat(scale, 0).repeat(scale, 1))
    data = io.BytesIO()
    image.save(data, kind)
    puzzle = read_image(io.BytesIO(data.getvalue()), "m")
    assert ["".join("# SG"[cell] for cell in row) for row in puzzle.grid.tolist()] == ROOM
    assert note in puzzle.note
    assert ("the start" in puzzle.note) == bool(note)


def test_spaces_behind_walls_of_underscores_are_no_cells() -> None:
    rows = ["   _ _ _   ", "|  _ _  |", "|_   _| |  ", "|_ _ _  |"]
    (puzzle,) = read_mazes(io.BytesIO("\n".join(rows).encode()), "f")
    assert isinstance(puzzle, Puzzle), str(puzzle)
    assert puzzle.grid.shape == (7, 9)
    for ragged in ("   _ _ \n| |  _|\n|_|_  | \n|_  |_|\n", "_ _ _   \n| | | |\n|_| |_|\n"):
        assert list(read_mazes(io.BytesIO(ragged.encode()), "f"))


@pytest.mark.parametrize("row", ["+- + +-+", "+-+ +- +", "++ +-+-+"])
def test_a_corner_between_corners_is_no_wall(row: str) -> None:
    rows = ["+-+-+-+", "|S    |", "+-+ +-+", "|    G|", "+-+-+-+"]
    assert isinstance(next(read_mazes(io.BytesIO("\n".join(rows).encode()), "f")), Puzzle)
    rows[2] = row
    for item in read_mazes(io.BytesIO("\n".join(rows).encode()), "f"):
        assert isinstance(item, PuzzleError)


def test_a_maze_of_thin_walls_that_is_too_large_is_told_with_its_size() -> None:
    row = "|   " * 130 + "|"
    rows = ["+---" * 130 + "+", row.replace("   ", " S ", 1).replace("|   |   ", "| G     ", 1)]
    text = "\n".join([*rows, rows[0], row, rows[0]])
    (puzzle,) = read_mazes(io.BytesIO(text.encode()), "f")
    assert isinstance(puzzle, Puzzle), str(puzzle)
    assert MazeFlow().unsupported(puzzle) == (
        "too large: 5 rows and 261 columns, thin walls included; "
        "these weights support mazes up to 257 x 257: give a part of it"
    )
