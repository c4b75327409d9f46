"""How the process holds its memory. Knows the C library only."""

import contextlib
import ctypes


def keep_memory() -> None:
    """Have the C library keep freed memory for the next use, and not return it to the system.

    A network allocates the same large activations again and again, and fetching fresh pages for
    them takes longer than filling them. This holds for the whole process, so that only commands ask
    for it. It has an effect with glibc only.
    """
    # Numbers of the parameters of mallopt, from malloc.h.
    trim_threshold = -1
    top_pad = -2
    mmap_max = -4
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(mmap_max, 0)
        libc.mallopt(trim_threshold, 2**31 - 1)
        libc.mallopt(top_pad, 2**28)
