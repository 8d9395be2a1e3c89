"""Have glibc keep the memory of a training between its steps.

Left to itself it gives large blocks back to the kernel after each step and asks for them again: the page faults cost up
to half of the time of a step on the CPU. Must be called before the work begins; nothing of torch is imported here.
"""

import ctypes
import sys

# Of malloc.h, glibc (mallopt(3)).
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
_NEVER_TRIM = 2**31 - 1

_in_effect = False  # of this process


def is_tuned() -> bool:
    """Whether this process keeps its memory."""
    return _in_effect


def tune_allocator() -> bool:
    """Never map large blocks on their own, never give the heap's end back; False where the C library cannot.

    The same as `MALLOC_MMAP_MAX_=0` and a large `MALLOC_TRIM_THRESHOLD_` in the environment of the process. The memory
    of a process then stays at its peak.
    """
    global _in_effect
    if can_tune_allocator():
        library = ctypes.CDLL(None)
        mapped, trimmed = library.mallopt(_M_MMAP_MAX, 0), library.mallopt(_M_TRIM_THRESHOLD, _NEVER_TRIM)
        _in_effect = bool(mapped and trimmed)
    return _in_effect


def can_tune_allocator() -> bool:
    """Whether the C library is glibc; others ignore it."""
    return sys.platform == "linux" and hasattr(ctypes.CDLL(None), "gnu_get_libc_version")
