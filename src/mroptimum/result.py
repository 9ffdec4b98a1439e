"""What a run gives back: maps with their units and geometry, the noise they rest on, and how they came about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mroptimum.coils import CoilMaps
from mroptimum.noise import NoiseModel
from mroptimum.rawdata.acquisition import SliceGeometry
from mroptimum.task import NoiseDomain, TaskDocument


class MapKind(StrEnum):
    """What a map is for."""

    OUTPUT = "output"
    """Asked for: what the job was about."""
    ACCESSORY = "accessory"
    """What the output was made with."""
    MASK = "mask"
    """Which voxels count as object."""


class MapId:
    """Numbers of maps in a result package, as existing readers know them; ours start at 200."""

    SNR = 0
    NOISE_COVARIANCE = 1
    NOISE_COEFFICIENTS = 2
    SENSE_G = 3
    SENSE_INVERSE_G = 4
    GRAPPA_G = 5
    GRAPPA_INVERSE_G = 6
    COIL_SENSITIVITY = 10
    COIL_SENSITIVITY_FROM_COIL_90 = 1000
    MASK = 100
    STANDARD_ERROR = 200
    NOISE_SD = 201
    IMAGE = 202
    SNR_WITHOUT_MAGNITUDE_BIAS = 203
    DIFFERENCE = 204
    COIL_SENSITIVITY_PHASE = 2000


@dataclass(frozen=True, kw_only=True)
class Map:
    """One map of the whole acquisition: ``data`` is (slice, y, x), real; ``unit`` is ``"1"`` for a ratio."""

    id: int
    name: str
    kind: MapKind
    unit: str
    data: NDArray[np.floating[Any]] | NDArray[np.uint8]
    description: str


@dataclass(frozen=True, kw_only=True)
class LogEntry:
    """One line of the log: when, how bad (`info` or `warning`), what."""

    at: datetime
    level: str
    message: str


@dataclass(frozen=True, kw_only=True)
class InputFile:
    """An input by what it was for and what it holds; never by its name, which may name a person."""

    role: str
    sha256: str
    size_bytes: int
    file_format: str


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """What the headers say of the scan, without anything about a person.

    ``matrix`` is (x, y, slice), the partitions of slabs counted as slices; ``n_partitions`` of each slab, 1 in 2D;
    ``acceleration`` is (y, z).
    """

    matrix: tuple[int, int, int]
    n_coils: int
    n_averages: int
    n_repetitions: int
    acceleration: tuple[int, int]
    readout_oversampling: float
    dwell_time_s: float | None
    field_strength_t: float | None
    flip_angle_deg: float | None
    echo_time_s: float | None
    repetition_time_s: float | None
    coil_names: tuple[str, ...]
    removed_fields: tuple[str, ...]
    n_partitions: int = 1


@dataclass(frozen=True, kw_only=True)
class Result:
    """Everything a run found. ``geometry`` has one entry a slice, empty when the file knows none.

    ``noise`` is None where nothing said what it is: then there is the image alone, or an SNR from repetitions.
    ``noise_domain`` says where pseudo replicas were drawn (None: there were none), ``seed`` from what. ``coil_maps``
    has one entry a slice, none where they were not asked for. ``methods`` are the sentences for a paper's methods
    section, with DOIs.
    """

    document: TaskDocument
    maps: tuple[Map, ...]
    geometry: tuple[SliceGeometry, ...]
    noise: NoiseModel | None
    coil_maps: tuple[CoilMaps, ...]
    protocol: Protocol
    inputs: tuple[InputFile, ...]
    warnings: tuple[str, ...]
    methods: tuple[str, ...]
    log: tuple[LogEntry, ...]
    calculation_time_s: float
    noise_domain: NoiseDomain | None = None
    seed: int | None = None

    @property
    def has_snr(self) -> bool:
        """Whether there is an SNR map."""
        return any(of_map.id == MapId.SNR for of_map in self.maps)
