"""What every service works with: the database, the way to the units, clocks, chance, and limits."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from cloudmr.compute.base import ComputeBackend
from cloudmr.database.base import Database
from cloudmr.model.ids import Entropy, Kind, new_id
from cloudmr.model.instants import Clock, utc_now
from cloudmr.model.limits import Limits
from cloudmr.model.units import ComputingUnit
from cloudmr.services.passwords import Passwords
from cloudmr.storage.base import ObjectStorage


@dataclass(frozen=True, kw_only=True)
class UnitLink:
    """The way to one unit: its storage, its compute, and the address at which it reaches the Brain."""

    storage: ObjectStorage
    compute: ComputeBackend
    brain_url: str


Connect = Callable[[ComputingUnit], UnitLink]
"""Gives the way to a unit. Raises `UnitUnavailable` where there is none."""


@dataclass(frozen=True, kw_only=True)
class Brain:
    """The ports and values that services are given. Two alarms wake the background rounds before their time."""

    database: Database
    connect: Connect
    passwords: Passwords
    secret_key: bytes = field(repr=False)
    limits: Limits = field(default_factory=Limits)
    now: Clock = utc_now
    entropy: Entropy = secrets.token_bytes
    dispatch_alarm: threading.Event = field(default_factory=threading.Event)
    check_alarm: threading.Event = field(default_factory=threading.Event)

    def new_id(self, kind: Kind) -> str:
        """Return a new name for a thing of this kind."""
        return new_id(kind, now=self.now(), entropy=self.entropy)
