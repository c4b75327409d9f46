"""The tools as an MCP server on standard input and output, by the official SDK.

Calls are worked on one at a time, in a thread beside the one that speaks with the client, so that
progress is told and a call can be cancelled. Knows the protocol; the work is done by ``tools``.
"""

from collections.abc import Callable
from typing import Annotated, Literal, TypeVar

import anyio
import anyio.from_thread
import anyio.to_thread
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from trmsolve.errors import TrmsolveError
from trmsolve.service.bounds import (
    LARGEST_SIDE,
    MOST_CHARACTERS,
    MOST_PUZZLES,
    MOST_VIEWS,
    Bounds,
    Tell,
)
from trmsolve.service.results import Explained, Generated, Judged, Solved
from trmsolve.service.tools import Tools, Wanted
from trmsolve.wording import package_version

INSTRUCTIONS = """Solves Sudokus and mazes with a Tiny Recursive Model, a small neural network
that improves an answer cycle by cycle. Every answer is checked by the rules: use only answers with
verified true. Puzzles are text. A Sudoku is 81 characters, or 9 rows, with a dot or 0 for a blank.
A maze is rows of # for walls and spaces for floor with one S and one G; its answer marks the path
with o."""

TaskName = Annotated[
    Literal["sudoku", "maze"], Field(description="The kind of puzzle: sudoku or maze.")
]
PuzzleText = Annotated[
    str, Field(description="One puzzle as text.", min_length=1, max_length=MOST_CHARACTERS)
]
AnswerText = Annotated[
    str, Field(description="The filled grid as text.", min_length=1, max_length=MOST_CHARACTERS)
]
Views = Annotated[
    int, Field(description="Most symmetric views that are tried.", ge=1, le=MOST_VIEWS)
]
Side = Annotated[int | None, Field(description="Mazes only.", ge=1, le=LARGEST_SIDE)]

PURE = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
"""No tool changes anything or reaches the network."""

Result = TypeVar("Result")


def make_server(bounds: Bounds) -> MCPServer:
    """The server with its four tools."""
    server: MCPServer = MCPServer(
        "trmsolve",
        title="trmsolve",
        instructions=INSTRUCTIONS,
        version=package_version(),
        log_level="ERROR",
    )
    tools = Tools(bounds)
    in_turn = anyio.CapacityLimiter(1)

    async def work(context: Context, do: Callable[[Tell], Result]) -> Result:
        return await anyio.to_thread.run_sync(_guarded, context, do, limiter=in_turn)

    @server.tool(annotations=PURE)
    async def solve(
        puzzle: PuzzleText, context: Context, task: TaskName = "sudoku", views: Views = MOST_VIEWS
    ) -> Solved:
        """Solve a Sudoku or a maze. Trust the answer only if verified is true."""
        return await work(context, lambda tell: tools.solve(task, puzzle, views, tell))

    @server.tool(annotations=PURE)
    async def verify(
        puzzle: PuzzleText, answer: AnswerText, context: Context, task: TaskName = "sudoku"
    ) -> Judged:
        """Check an answer to a Sudoku or a maze by the rules alone, and say which rule fails."""
        return await work(context, lambda _: tools.verify(task, puzzle, answer))

    @server.tool(annotations=PURE)
    async def generate(  # noqa: PLR0913 (the arguments of the tool)
        context: Context,
        task: TaskName = "sudoku",
        number: Annotated[int, Field(ge=1, le=MOST_PUZZLES)] = 1,
        difficulty: Annotated[str | None, Field(description=_difficulties())] = None,
        seed: Annotated[int, Field(ge=0, lt=2**63)] = 0,
        rows: Side = None,
        columns: Side = None,
    ) -> Generated:
        """Make new Sudokus or mazes with their answers; the same seed makes the same ones."""
        wanted = Wanted(task, number, difficulty, seed, rows, columns)
        return await work(context, lambda tell: tools.generate(wanted, tell))

    @server.tool(annotations=PURE)
    async def explain_cycles(
        puzzle: PuzzleText, context: Context, task: TaskName = "sudoku", views: Views = 1
    ) -> Explained:
        """Solve a puzzle and list what the network thought after each improvement cycle."""
        return await work(context, lambda tell: tools.explain_cycles(task, puzzle, views, tell))

    return server


def _difficulties() -> str:
    """The difficulties of both kinds of puzzle."""
    from trmsolve.puzzles.registry import get_task

    listed = [f"{name}: {', '.join(get_task(name).difficulties)}" for name in ("sudoku", "maze")]
    return "; ".join(listed)


def _guarded(context: Context, do: Callable[[Tell], Result]) -> Result:
    """Do the work in this thread. Raises ToolError with the text for the client."""

    def tell(steps: int, message: str) -> None:
        anyio.from_thread.check_cancelled()
        anyio.from_thread.run(context.report_progress, steps, None, message)

    try:
        return do(tell)
    except TrmsolveError as error:
        raise ToolError(str(error)) from error
    except MemoryError as error:
        raise ToolError("the call needs more memory than the server may use") from error
