"""``trmsolve mcp``: offers solving to language models and other programs."""

import sys
from typing import Annotated

import typer

from trmsolve.cli import options
from trmsolve.cli.output import say
from trmsolve.errors import UsageError
from trmsolve.wording import install_hint

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
    make_server(Bounds(seconds, threads)).run()
