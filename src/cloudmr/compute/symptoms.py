"""By which words a refusal of the operating system shows, where a program has no better way to say what it met."""

from __future__ import annotations

_NO_MEMORY = (
    "MemoryError",  # Python, NumPy
    "std::bad_alloc",  # C++
    "Cannot allocate memory",  # the C library
    "Memory allocation",  # OpenBLAS
    "failed to map segment from shared object",  # the dynamic loader
    "can't start new thread",  # Python; a thread needs address space for its stack
    "Resource temporarily unavailable",  # the same in C and C++
)
_NO_DISK = ("No space left on device", "File too large", "Disk quota exceeded")


def tells_of_no_memory(words: str) -> bool:
    """Tell whether these words are those of a program that was refused memory."""
    return any(sign in words for sign in _NO_MEMORY)


def tells_of_no_disk(words: str) -> bool:
    """Tell whether these words are those of a program that was refused disk."""
    return any(sign in words for sign in _NO_DISK)
