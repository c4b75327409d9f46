"""Looks for input that a reader handles badly: ``python -m tests.faults.fuzz READER --seconds N``.

Guided by coverage where atheris is installed, by the mutators of this folder elsewhere. A reader is
one of ``readers()``, or ``weights``. An input that breaks a promise is kept in ``--out`` and ends
the search; it belongs into a test.
"""

import argparse
import contextlib
import io
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults.support.mutators import damaged

Target = Callable[[bytes], None]
SLOW = 2.0
"""Seconds of processor time that one input may take."""


def reading_target(name: str) -> tuple[Target, list[bytes]]:
    """Reads an input as a file of puzzles."""
    from tests.faults.support.readers import readers
    from trmsolve.errors import PuzzleError

    reader = readers()[name]

    def read(data: bytes) -> None:
        begin = time.process_time()
        for item in reader.read(io.BytesIO(data), "given.txt"):
            assert not isinstance(item, PuzzleError) or "given.txt" in str(item)
        assert time.process_time() - begin < SLOW, "too slow"

    return read, reader.files


def weights_target() -> tuple[Target, list[bytes]]:
    """Reads an input as the header of weights."""
    from trmsolve.errors import WeightsError
    from trmsolve.weights.file import bundled_weights, read_info

    path = Path(tempfile.mkdtemp()) / "given.safetensors"
    whole = bundled_weights("maze").read_bytes()
    length = 8 + int.from_bytes(whole[:8], "little")

    def read(data: bytes) -> None:
        path.write_bytes(len(data).to_bytes(8, "little") + data + whole[length:])
        with contextlib.suppress(WeightsError):
            read_info(path)

    return read, [whole[8:length]]


def target_of(name: str) -> tuple[Target, list[bytes]]:
    """A reader, and good inputs to begin with."""
    return weights_target() if name == "weights" else reading_target(name)


def search(name: str, seconds: float, out: Path, seed: int) -> None:
    """Try damaged inputs for some seconds. Raises what an input raises, and keeps that input."""
    read, files = target_of(name)
    end = time.monotonic() + seconds
    number = 0
    for data in damaged(files, seed):
        if time.monotonic() > end:
            break
        number += 1
        try:
            read(data)
        except BaseException:
            (out / f"{name.replace(' ', '-')}-{seed}-{number}").write_bytes(data)
            raise
    print(f"{name}: {number:,} inputs without a fault")


def search_by_coverage(name: str, seconds: float, out: Path, seed: int) -> None:
    """As ``search``, where each input that reaches new code is damaged further."""
    import atheris

    with atheris.instrument_imports(include=["trmsolve"]):
        read, files = target_of(name)
    corpus = Path(tempfile.mkdtemp())
    for number, data in enumerate(files):
        (corpus / str(number)).write_bytes(data)
    prefix = out / name.replace(" ", "-")
    limits = [
        f"-max_total_time={seconds:.0f}",
        "-timeout=20",
        "-rss_limit_mb=2000",
        f"-seed={seed}",
    ]
    options = [*limits, "-max_len=65536", f"-artifact_prefix={prefix}-", str(corpus)]
    atheris.Setup([sys.argv[0], *options], read)
    atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reader")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--out", type=Path, default=Path("found"))
    parser.add_argument("--seed", type=int, default=1)
    wish = parser.parse_args()
    wish.out.mkdir(exist_ok=True)
    try:
        import atheris  # noqa: F401
    except ImportError:
        search(wish.reader, wish.seconds, wish.out, wish.seed)
    else:
        search_by_coverage(wish.reader, wish.seconds, wish.out, wish.seed)


if __name__ == "__main__":
    main()
