"""A carrier that keeps what it is given, and fails as it is told: for tests."""

from __future__ import annotations

import threading

from cloudmr.delivery.base import NotDelivered, Parcel


class MemoryCarrier:
    """Keeps parcels in `arrived`. The next ones fail with what is in `failures`, one each."""

    def __init__(self) -> None:
        self.arrived: list[Parcel] = []
        self.failures: list[NotDelivered] = []
        self._lock = threading.Lock()

    def carry(self, parcel: Parcel) -> None:
        """Keep it, or fail."""
        with self._lock:
            if self.failures:
                raise self.failures.pop(0)
            self.arrived.append(parcel)
