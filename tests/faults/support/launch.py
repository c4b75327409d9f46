"""Runs a command and writes what it took: ``python launch.py REPORT COMMAND...``.

The peak memory that a system reports for a process can include that of the process which started
it. This script is small, and pytest is not.
"""

import json
import os
import sys
from pathlib import Path


def main() -> None:
    report, *command = sys.argv[1:]
    process = os.posix_spawn(command[0], command, os.environ)
    _, status, usage = os.wait4(process, 0)
    unit = 1 if sys.platform == "darwin" else 1024
    took = {
        "code": os.waitstatus_to_exitcode(status),
        "seconds": usage.ru_utime + usage.ru_stime,
        "megabytes": usage.ru_maxrss * unit / 1e6,
    }
    Path(report).write_text(json.dumps(took))


if __name__ == "__main__":
    main()
