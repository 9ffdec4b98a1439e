"""Whose things are whose: what is not the caller's own is not there."""

from __future__ import annotations

from datetime import datetime

from cloudmr.database.base import Transaction
from cloudmr.errors import NotFound
from cloudmr.model.data_files import DataFile, DataState
from cloudmr.model.ids import Kind, is_id
from cloudmr.model.jobs import Job
from cloudmr.model.people import Caller
from cloudmr.model.units import ComputingUnit


def own_data_file(transaction: Transaction, caller: Caller, data_id: str, *, for_change: bool = False) -> DataFile:
    """Return the caller's data file of that id. Raise `NotFound` for one that is deleted, too."""
    data_file = transaction.data_files.get(data_id, for_change=for_change) if is_id(Kind.DATA, data_id) else None
    if data_file is None or data_file.owner_id != caller.id or data_file.state is DataState.DELETED:
        raise NotFound("data file")
    return data_file


def own_data_file_or_deleted(transaction: Transaction, caller: Caller, data_id: str) -> DataFile:
    """Return the caller's data file of that id, to be changed, whether it is deleted or not. Raise `NotFound`."""
    data_file = transaction.data_files.get(data_id, for_change=True) if is_id(Kind.DATA, data_id) else None
    if data_file is None or data_file.owner_id != caller.id:
        raise NotFound("data file")
    return data_file


def own_job(transaction: Transaction, caller: Caller, job_id: str, *, for_change: bool = False) -> Job:
    """Return the caller's job of that id. Raise `NotFound`."""
    job = transaction.jobs.get(job_id, for_change=for_change) if is_id(Kind.JOB, job_id) else None
    if job is None or job.owner_id != caller.id or job.deleted_at is not None:
        raise NotFound("job")
    return job


def own_job_or_deleted(transaction: Transaction, caller: Caller, job_id: str) -> Job:
    """Return the caller's job of that id, to be changed, whether it is deleted or not. Raise `NotFound`."""
    job = transaction.jobs.get(job_id, for_change=True) if is_id(Kind.JOB, job_id) else None
    if job is None or job.owner_id != caller.id:
        raise NotFound("job")
    return job


def visible_job(transaction: Transaction, caller: Caller, job_id: str, *, now: datetime) -> Job:
    """Return the job of that id if it is the caller's own or was shared with them. Raise `NotFound`."""
    job = transaction.jobs.get(job_id) if is_id(Kind.JOB, job_id) else None
    if job is None or job.deleted_at is not None:
        raise NotFound("job")
    if job.owner_id != caller.id and not transaction.shares.is_shared_with(job_id, caller.id, now=now):
        raise NotFound("job")
    return job


def unit_of(transaction: Transaction, thing: DataFile | Job) -> ComputingUnit:
    """Return the unit that a file lies in or a job runs on."""
    unit = transaction.units.get(thing.unit_id)
    if unit is None:
        raise NotFound("computing unit")
    return unit
