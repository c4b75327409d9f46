"""What the commands say of mazes. Nothing here imports numpy."""

from trmsolve.puzzles.words import Words

DIFFICULTIES = ("hard", "sparse", "perfect", "mixed")


class MazeWords(Words):
    """The words of mazes."""

    name = "maze"
    difficulties = DIFFICULTIES
    # A maze may be large: its answer comes nearer by a fixed number of cells a cycle.
    default_cycles = 64
    cycles_help = (
        "Maximum number of improvement cycles for each view. If none is given, large mazes may "
        "take more while their answers still change."
    )
    # A maze's answer is long, and each cycle builds on the one before: 0.2 does no harm, and at 0.5
    # none is solved.
    default_noise = 0.1
    has_marks = True
    title = "Mazes"
    plural = "mazes"
    files_help = "Files with mazes as text, lists, CSV or images. - reads standard input."
    detours_help = "Accept any path from start to goal, not only a shortest one."
    failure_help = "some answer is not verified, or a maze has no path to the goal"
    example_file = "maze.txt"
    generate_help = """A maze may have several shortest paths. Its answer is the path that the rule
    of the public data chooses, and its rating is the length of that path. Hard
    mazes have random walls, with start and goal as far apart as in the public
    data. Sparse mazes have few walls and arbitrary ends. Perfect mazes have
    corridors with exactly one path between any two cells. Mixed mazes are all
    of these and more, in all sizes."""
