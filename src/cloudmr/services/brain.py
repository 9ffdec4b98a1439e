"""What every service works with: the database, the way to the units, clocks, chance, and limits."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cloudmr.compute.base import ComputeBackend
from cloudmr.database.base import Database
from cloudmr.delivery.base import Carrier
from cloudmr.metrics import Metrics
from cloudmr.model.ids import Entropy, Kind, new_id
from cloudmr.model.instants import Clock, utc_now
from cloudmr.model.limits import Limits
from cloudmr.model.messages import MessageKind
from cloudmr.model.registration import Operator
from cloudmr.model.units import ComputingUnit
from cloudmr.probes.base import UnitProbe
from cloudmr.services.passwords import Passwords
from cloudmr.storage.base import ObjectStorage


@dataclass(frozen=True, kw_only=True)
class UnitLink:
    """The way to one unit: its storage, its compute, what looks at it, and where it reaches the Brain.

    `storage_origins` are those of the storage's signed URLs: where pages must be let go to.
    """

    storage: ObjectStorage
    compute: ComputeBackend
    probe: UnitProbe
    brain_url: str
    storage_origins: frozenset[str] = frozenset()


Connect = Callable[[ComputingUnit], UnitLink]
"""Gives the way to a unit. Raises `UnitUnavailable` where there is none."""


@dataclass(frozen=True, kw_only=True)
class Brain:
    """The ports and values that services are given. The alarms wake the background rounds before their time.

    `public_url` is where people reach the Brain, `carriers` how messages leave it. `confirms_addresses` says that mails
    arrive, and that an account begins when its owner has opened one; `allows_private_webhooks` that webhooks may go to
    any address. `operator` is who it is in AWS; `is_private_url_allowed` says that units may be announced although
    `public_url` leads nowhere from elsewhere. `full_units` had no place left when the dispatcher
    last looked: a job that comes there does not wake it, the end of one does.
    """

    database: Database
    connect: Connect
    passwords: Passwords
    secret_key: bytes = field(repr=False)
    limits: Limits = field(default_factory=Limits)
    now: Clock = utc_now
    entropy: Entropy = secrets.token_bytes
    public_url: str = "http://127.0.0.1:8000"
    carriers: Mapping[MessageKind, Carrier] = field(default_factory=dict)
    confirms_addresses: bool = False
    allows_private_webhooks: bool = False
    operator: Operator = field(default_factory=Operator)
    metrics: Metrics = field(default_factory=Metrics)
    is_private_url_allowed: bool = False
    dispatch_alarm: threading.Event = field(default_factory=threading.Event)
    check_alarm: threading.Event = field(default_factory=threading.Event)
    unit_alarm: threading.Event = field(default_factory=threading.Event)
    outbox_alarm: threading.Event = field(default_factory=threading.Event)
    full_units: set[str] = field(default_factory=set)

    def new_id(self, kind: Kind) -> str:
        """Return a new name for a thing of this kind."""
        return new_id(kind, now=self.now(), entropy=self.entropy)
