"""A thing together with the unit it is at: what routes and pages show of it."""

from __future__ import annotations

from dataclasses import dataclass

from cloudmr.model.data_files import DataFile
from cloudmr.model.jobs import Job
from cloudmr.model.units import ComputingUnit


@dataclass(frozen=True, kw_only=True)
class DataView:
    """A data file and the unit it lies in."""

    data_file: DataFile
    unit: ComputingUnit


@dataclass(frozen=True, kw_only=True)
class JobView:
    """A job and the unit it runs on."""

    job: Job
    unit: ComputingUnit
