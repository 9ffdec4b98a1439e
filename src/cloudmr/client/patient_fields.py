"""What leaves this machine of a file: never a header that may name a person, unless it goes where its owner rules.

The fields are blanked on the way, exactly as `mroptimum anonymise` does it; the file on this machine stays as it is.
`--keep-headers` sends a file as it is to a unit of one's own (`mode_2`) and to a Brain on this machine, never to a
shared unit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cloudmr.client.errors import HeaderNamesPerson
from cloudmr.client.source_file import SourceFile
from cloudmr.model.units import Mode

_NOT_SHARED = (
    "Leave out --keep-headers, and these fields are blanked on the way (`mroptimum anonymise` shows how), or send the "
    "file to your own computing unit (--mode mode_2): what names a person never goes to a unit that is shared."
)


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where a file is to go, as far as it is known before the Brain chooses. `mode` is that of the unit asked for."""

    is_this_machine: bool
    mode: Mode | None

    @property
    def is_senders_own(self) -> bool:
        """Whether the sender rules over the place."""
        return self.is_this_machine or self.mode is Mode.MODE_2


@contextmanager
def as_it_may_go(path: Path, filename: str, destination: Destination, *, keep_headers: bool) -> Iterator[SourceFile]:
    """Give the file that may go to `destination`, while the context lasts.

    Raise `LocalFileError`, `HeaderNamesPerson` if headers that may name a person are to be kept and must not be, and
    `RawDataError` for a file that cannot be looked into, or cannot be cleaned: what it holds is not known then.
    """
    source = SourceFile.of(path)
    from mroptimum.rawdata.anonymise.cleaning import cleaned  # NumPy and the readers: only who uploads needs them
    from mroptimum.rawdata.bart_files import header_beside

    # Half of BART's pair of files is of no use in a unit: they go in one zip, which only cleaning makes.
    if keep_headers and destination.is_senders_own and header_beside(path) is None:
        yield source
        return
    with cleaned(path) as clean:
        if keep_headers and clean.fields and not destination.is_senders_own:
            raise HeaderNamesPerson(filename, clean.fields, _NOT_SHARED)
        yield SourceFile(path=source.path, size_bytes=source.size_bytes, modified_ns=source.modified_ns, clean=clean)
