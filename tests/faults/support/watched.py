"""Runs the program and notes what it opens: ``python watched.py NOTES ARGUMENTS...``.

Python tells an audit hook of every connection, of every file that is opened for writing, and of
every file that is moved or removed. Lines of NOTES are ``network ...`` or ``write PATH``.
"""

import os
import sys
from pathlib import Path
from typing import Any

NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.bind")
WRITES = ("os.mkdir", "os.remove", "os.rename", "os.truncate", "os.symlink", "os.link")
NOTES, *ARGUMENTS = sys.argv[1:]
notes = os.open(NOTES, os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def note(kind: str, what: object) -> None:
    os.write(notes, f"{kind} {what}\n".encode(errors="backslashreplace"))


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event in NETWORK:
        note("network", f"{event} {arguments[-1]!r}")
    elif event == "open":
        path, _, flags = arguments
        if isinstance(path, str | bytes) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            note("write", Path(os.fsdecode(path)).absolute())
    elif event in WRITES and isinstance(arguments[0], str | bytes | os.PathLike):
        note("write", Path(os.fsdecode(arguments[0])).absolute())


sys.addaudithook(watch)
sys.argv = ["trmsolve", *ARGUMENTS]

from trmsolve.__main__ import main  # noqa: E402

main()
