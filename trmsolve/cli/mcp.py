"""``trmsolve mcp``: offers solving to language models and other programs."""

import os
import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from trmsolve.cli import options
from trmsolve.cli.process import TERMINATED
from trmsolve.cli.streams import say
from trmsolve.errors import INTERRUPTED, UsageError
from trmsolve.wording import install_hint

if TYPE_CHECKING:
    from types import FrameType

    from mcp.server.mcpserver import MCPServer

SDK = ("mcp", "mcp_types")
"""The modules of the SDK."""

Seconds = Annotated[
    float, typer.Option(metavar="SECONDS", min=1, max=3600, help="Time that one call may take.")
]
Memory = Annotated[
    int, typer.Option(metavar="MIB", min=512, help="Memory that the server may use, in MiB.")
]


def mcp(seconds: Seconds = 60, memory: Memory = 4096, threads: options.Threads = None) -> None:
    """Offer solving to language models as an MCP server.

    The server speaks the Model Context Protocol on standard input and output
    until the client closes them. Its tools are solve, verify, generate and
    explain_cycles, for Sudokus and mazes. It opens no file that a client
    names and no connection. docs/integrations.md says how clients start it.

    Examples:
    trmsolve mcp
    trmsolve mcp --seconds 20 --threads 1

    Exit codes:
    0  the client has left
    2  an option is invalid, or the SDK is not installed
    5  the output cannot be written
    130  interrupted
    141  the reader of the output has left
    """
    try:
        from trmsolve.service.server import make_server
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in SDK:
            raise
        raise UsageError(f"the server needs the MCP SDK: {install_hint('mcp')}") from None
    from trmsolve.service.bounds import Bounds, limit_memory

    limit_memory(memory)
    if sys.stdin is not None and sys.stdin.isatty():
        say("waiting for an MCP client on standard input; see docs/integrations.md")
    _serve(make_server(Bounds(seconds, threads)))


def _serve(server: "MCPServer") -> None:
    """Speak with the client until it leaves. Raises BrokenPipeError if it leaves during an answer.

    The SDK's tasks raise their errors in groups, which the program does not look into.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _leave_at_once)
    has_left = False
    try:
        server.run()
    except* BrokenPipeError:
        has_left = True
    if has_left:
        raise BrokenPipeError


def _leave_at_once(number: int, frame: "FrameType | None") -> None:  # noqa: ARG001 (a handler)
    """Leave in the middle of a read: the SDK would wait until the client closes its end."""
    if number == signal.SIGINT:
        os.write(2, b"trmsolve: interrupted\n")
        os._exit(INTERRUPTED)
    os._exit(TERMINATED)
