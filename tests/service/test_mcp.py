"""``trmsolve mcp``, started as a client starts it and spoken to with the SDK's own client."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import ROOT
from trmsolve.api import generate
from trmsolve.puzzles.registry import get_task
from trmsolve.puzzles.values import Puzzle
from trmsolve.service import bounds

mcp = pytest.importorskip("mcp")
anyio = pytest.importorskip("anyio")
from mcp.client.stdio import StdioServerParameters, stdio_client  # noqa: E402

pytestmark = pytest.mark.slow

EASY = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
SOLUTION = "534678912672195348198342567859761423426853791713924856961537284287419635345286179"
TOOLS = {"solve", "verify", "generate", "explain_cycles"}
ENV = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def talk(say: Callable[[Any], Awaitable[Any]], *options: str) -> Any:
    """The result of a conversation with a server of its own."""

    async def conversation() -> Any:
        server = StdioServerParameters(
            command=sys.executable,
            args=["-m", "trmsolve", "mcp", "--threads", "1", *options],
            env=ENV,
        )
        async with mcp.Client(stdio_client(server)) as client:
            return await say(client)

    return anyio.run(conversation)


def text_of(result: Any) -> str:
    """The text that a model reads."""
    return "\n".join(part.text for part in result.content)


def test_the_tools_are_offered_with_types_and_bounds() -> None:
    async def say(client: Any) -> Any:
        return (await client.list_tools()).tools

    tools = {tool.name: tool for tool in talk(say)}
    assert set(tools) == TOOLS
    for tool in tools.values():
        assert tool.description and tool.annotations.read_only_hint
        assert tool.output_schema["type"] == "object"
    puzzle = tools["solve"].input_schema["properties"]["puzzle"]
    assert puzzle["maxLength"] == bounds.MOST_CHARACTERS
    assert "verified" in tools["solve"].output_schema["required"]
    assert "extreme" in json.dumps(tools["generate"].input_schema)


def test_a_conversation() -> None:
    """A puzzle is made, solved with notes on the progress, verified and explained."""
    told: list[tuple[float, str]] = []

    async def follow(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, message or ""))

    async def say(client: Any) -> dict[str, Any]:
        made = await client.call_tool("generate", {"number": 2, "difficulty": "easy", "seed": 3})
        puzzle = made.structured_content["puzzles"][0]
        solved = await client.call_tool(
            "solve", {"puzzle": puzzle["puzzle"]}, progress_callback=follow
        )
        answer = solved.structured_content["answer"]
        asked = {"puzzle": puzzle["puzzle"], "answer": answer}
        maze = {"puzzle": "#####\n#S G#\n#   #\n#####", "task": "maze"}
        return {
            "made": made,
            "solved": solved,
            "right": await client.call_tool("verify", asked),
            "wrong": await client.call_tool("verify", asked | {"answer": "1" * 81}),
            "explained": await client.call_tool("explain_cycles", {"puzzle": EASY}),
            "maze": await client.call_tool("solve", maze),
        }

    results = talk(say)
    found = {name: result.structured_content for name, result in results.items()}
    assert not any(result.is_error for result in results.values())
    assert len(found["made"]["puzzles"]) == 2
    assert found["solved"]["verified"]
    assert found["solved"]["answer"] == found["made"]["puzzles"][0]["answer"]
    assert told and told[0][1].startswith("view 1, cycle 1: ")
    assert [steps for steps, _ in told] == sorted({steps for steps, _ in told})
    assert found["right"]["verified"] and not found["right"]["reason"]
    assert not found["wrong"]["verified"] and found["wrong"]["reason"]
    cycles = found["explained"]["cycles"]
    assert cycles[-1]["grid"] == SOLUTION and cycles[-1]["broken_rules"] == 0
    assert found["explained"]["stopped"] == "the rules accept the answer"
    assert found["maze"]["answer"] == "#####\n#SoG#\n#   #\n#####"
    assert found["maze"]["optimal"] is True
    assert json.loads(text_of(results["right"])) == found["right"]


WRONG = {
    "no puzzle": ("solve", {"puzzle": "hello"}, "no Sudoku follows 'hello'"),
    "a clash": ("solve", {"puzzle": "55" + "." * 79}, "two 5s in row 1"),
    "two puzzles": ("solve", {"puzzle": f"{EASY}\n{EASY}"}, "give one puzzle"),
    "a file": ("solve", {"puzzle": str(ROOT / "examples/sudoku/easy.txt")}, "no Sudoku follows"),
    "another size": ("verify", {"puzzle": EASY, "answer": "123"}, "the answer has 3 cells"),
    "another task": ("solve", {"puzzle": EASY, "task": "chess"}, "'sudoku' or 'maze'"),
    "too long": ("solve", {"puzzle": "." * (bounds.MOST_CHARACTERS + 1)}, "at most 65536"),
    "too many": ("generate", {"number": 21}, "less than or equal to 20"),
    "too many views": ("solve", {"puzzle": EASY, "views": 1000}, "less than or equal to 32"),
    "no such difficulty": ("generate", {"difficulty": "odd"}, "'odd' is not known"),
    "half a size": ("generate", {"task": "maze", "rows": 9}, "give both rows and columns"),
    "a Sudoku of a size": ("generate", {"rows": 5, "columns": 5}, "no Sudoku of 5 x 5"),
}


def test_errors_are_told_and_the_server_goes_on() -> None:
    async def say(client: Any) -> list[Any]:
        found = [await client.call_tool(name, asked) for name, asked, _ in WRONG.values()]
        found.append(await client.call_tool("verify", {"puzzle": EASY, "answer": SOLUTION}))
        return found

    *errors, last = talk(say)
    for result, (name, _, problem) in zip(errors, WRONG.values(), strict=True):
        assert result.is_error and problem in text_of(result), (name, text_of(result))
    assert last.structured_content["verified"]


def long_maze() -> dict[str, Any]:
    """The arguments of a call that takes several seconds on any machine."""
    (maze,) = generate("maze", n=1, difficulty="perfect", size=(127, 127))
    assert isinstance(maze, Puzzle)
    return {"task": "maze", "puzzle": get_task("maze").text(maze.grid)}


def test_a_call_ends_at_its_time_and_the_server_goes_on() -> None:
    async def say(client: Any) -> tuple[Any, Any]:
        late = await client.call_tool("solve", long_maze())
        return late, await client.call_tool("verify", {"puzzle": EASY, "answer": SOLUTION})

    late, after = talk(say, "--seconds", "1")
    assert late.is_error and "stopped after 1 s" in text_of(late)
    assert after.structured_content["verified"]


def test_a_call_can_be_cancelled() -> None:
    """Calls come one at a time: the next one is answered because the first one has ended."""

    async def say(client: Any) -> Any:
        begun = anyio.Event()

        async def follow(progress: float, total: float | None, message: str | None) -> None:
            begun.set()

        async def solve() -> None:
            await client.call_tool("solve", long_maze(), progress_callback=follow)
            raise AssertionError("it was not cancelled")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(solve)
            await begun.wait()
            tasks.cancel_scope.cancel()
        return await client.call_tool(
            "verify", {"puzzle": EASY, "answer": SOLUTION}, read_timeout_seconds=60
        )

    assert talk(say, "--seconds", "3600").structured_content["verified"]


HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "0"},
    },
}


def start() -> subprocess.Popen[bytes]:
    """A server that a test speaks to by its pipes."""
    return subprocess.Popen(
        [sys.executable, "-m", "trmsolve", "mcp", "--threads", "1"],
        env={**os.environ, **ENV},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def greet(server: subprocess.Popen[bytes]) -> None:
    """Send the first message."""
    assert server.stdin is not None
    server.stdin.write(json.dumps(HELLO).encode() + b"\n")
    server.stdin.flush()


def test_a_client_that_leaves_ends_the_server() -> None:
    with start() as server:
        greet(server)
        assert server.stdin and server.stdout and server.stderr
        assert json.loads(server.stdout.readline())["result"]["serverInfo"]["name"] == "trmsolve"
        server.stdin.close()
        assert server.wait(60) == 0
        assert server.stderr.read() == b""


def test_a_client_that_leaves_before_the_answer_leaves_no_traceback() -> None:
    with start() as server:
        assert server.stdout and server.stderr
        server.stdout.close()
        greet(server)
        assert server.stdin
        server.stdin.close()
        assert server.wait(60) == 141
        assert server.stderr.read() == b""


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGINT, 130, b"trmsolve: interrupted\n"), (signal.SIGTERM, 143, b"")],
)
def test_a_signal_ends_the_server_at_once(number: int, code: int, said: bytes) -> None:
    with start() as server:
        greet(server)
        assert server.stdout and server.stderr
        server.stdout.readline()
        server.send_signal(number)
        assert server.wait(60) == code
        assert server.stderr.read() == said


def test_without_the_sdk_it_is_said_how_to_install_it(tmp_path: Path) -> None:
    (tmp_path / "mcp.py").write_text("raise ModuleNotFoundError('no', name='mcp')\n")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-m", "trmsolve", "mcp"],
        env=environment,
        input="",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install '.[mcp]'" in done.stderr
