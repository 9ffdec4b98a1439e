"""Whether a raw file may leave this machine: a header that may name a person stays here, or goes where its owner rules.

`--keep-headers` lets such a file go to a unit of one's own (`mode_2`) and to a Brain on this machine, never to a
shared unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cloudmr.client.errors import HeaderNamesPerson
from cloudmr.model.units import Mode

_ASK_FOR_IT = (
    "Blank these fields, or give --keep-headers to send the file as it is to your own computing unit (--mode mode_2) "
    "or to a Brain on this machine."
)
_NOT_SHARED = (
    "Blank these fields, or send the file to your own computing unit (--mode mode_2): what names a person never goes "
    "to a unit that is shared."
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


def check_header(path: Path, filename: str, destination: Destination, *, keep_headers: bool) -> None:
    """Raise `HeaderNamesPerson` if a file whose header may name a person must not go to `destination`.

    Raise `RawDataError` for a file that cannot be looked into: what it holds is not known then.
    """
    if keep_headers and destination.is_senders_own:
        return
    if fields := _identifying_fields(path):
        raise HeaderNamesPerson(filename, fields, _NOT_SHARED if keep_headers else _ASK_FOR_IT)


def _identifying_fields(path: Path) -> Sequence[str]:
    from mroptimum import rawdata  # NumPy and the readers: only who uploads needs them

    return rawdata.inspect(path).identifying_fields
