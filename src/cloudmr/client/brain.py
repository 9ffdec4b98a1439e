"""What can be asked of CloudMR Brain, one method each."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from cloudmr.client.acquisition import acquisition_of
from cloudmr.client.address import is_this_machine
from cloudmr.client.administration import Administration
from cloudmr.client.answers import (
    ComputingUnit,
    DataFile,
    DataList,
    DataPage,
    Job,
    JobLog,
    JobPage,
    Nothing,
    PartList,
    Profile,
    ResultPackage,
    Session,
    SignedLink,
    StartedUpload,
    UnitList,
)
from cloudmr.client.computing_units import ComputingUnits
from cloudmr.client.connection import Connection, Renew
from cloudmr.client.credentials import find_identity
from cloudmr.client.download import Expected, fetch
from cloudmr.client.errors import LocalFileError, Refused
from cloudmr.client.folder import client_folder
from cloudmr.client.follow import News, follow
from cloudmr.client.notifications import Notifications
from cloudmr.client.own_account import OwnAccount
from cloudmr.client.patient_fields import Destination, as_it_may_go
from cloudmr.client.plan_answers import Plan, Quota
from cloudmr.client.progress import Advance, unheard
from cloudmr.client.regions import Regions
from cloudmr.client.renewal import renewal_of_kept_session
from cloudmr.client.results import fetch_files, fetch_package, get_result
from cloudmr.client.retries import Pause
from cloudmr.client.sharing import Sharing
from cloudmr.client.source_file import SourceFile
from cloudmr.client.upload import send_file
from cloudmr.client.upload_records import UploadRecords
from cloudmr.model.data_files import DataState
from cloudmr.model.jobs import JobState
from cloudmr.model.platforms import Platform
from cloudmr.model.units import APP_NAME, Mode
from mroptimum.task import TaskDocument


class BrainClient:
    """A Brain, as one person sees it. Close it, or use it in a `with`.

    `renew` gets a token in place of an expired one, `folder` is where unfinished uploads are remembered, `transport`
    and `pause` are for tests. Every method raises `Refused` for the Brain's own no, `SignInNeeded`, `BrainUnreachable`
    and `StrangeAnswer`; what else is said there.
    """

    def __init__(
        self,
        server: str,
        *,
        token: str | None = None,
        renew: Renew = lambda _: None,
        folder: Path,
        transport: httpx.BaseTransport | None = None,
        pause: Pause = time.sleep,
    ) -> None:
        self._connection = Connection(server, token=token, renew=renew, transport=transport, pause=pause)
        self.account = OwnAccount(self._connection)
        self.sharing = Sharing(self._connection)
        self.notifications = Notifications(self._connection)
        self.administration = Administration(self._connection)
        self.computing_units = ComputingUnits(self._connection)
        self.regions = Regions(self._connection)
        self._uploads = UploadRecords(folder=folder / "uploads")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Return the Brain that the environment or the last `cloudmr login` names."""
        identity = find_identity(environment)
        return cls(
            identity.server,
            token=identity.token,
            renew=renewal_of_kept_session(identity.server, environment),
            folder=client_folder(environment),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    @property
    def server(self) -> str:
        """The Brain's address."""
        return self._connection.server

    @property
    def is_signed_in(self) -> bool:
        """Whether there is a token to show; whether it is good is for the Brain to say."""
        return self._connection.token is not None

    @contextmanager
    def holding(self, token: str) -> Iterator[Self]:
        """Show another token while the block runs."""
        before, self._connection.token = self._connection.token, token
        try:
            yield self
        finally:
            self._connection.token = before

    def register(self, *, email: str, password: str) -> Profile:
        """Make an account."""
        return self._connection.ask(Profile, "POST", "/api/auth/register", body={"email": email, "password": password})

    def log_in(self, *, email: str, password: str) -> Session:
        """Sign in; from now on this client shows the session's token."""
        session = self._connection.ask(Session, "POST", "/api/auth/login", body={"email": email, "password": password})
        self._connection.token = session.access_token
        return session

    def log_out(self) -> None:
        """End the session at the Brain."""
        self._connection.ask(Nothing, "POST", "/api/auth/logout", is_repeatable=True)
        self._connection.token = None

    def profile(self) -> Profile:
        """Return the account that is signed in."""
        return self._connection.ask(Profile, "GET", "/api/auth/profile")

    def units(self) -> tuple[ComputingUnit, ...]:
        """Return the computing units this person may use, the shared ones first."""
        query = {"app_name": APP_NAME}
        return self._connection.ask(UnitList, "GET", "/api/computing-unit/list", query=query).computing_units

    def upload(
        self,
        path: Path,
        *,
        filename: str | None = None,
        unit_id: str | None = None,
        mode: Mode | None = None,
        keep_headers: bool = False,
        advance: Advance = unheard,
        cleaned: Callable[[tuple[str, ...]], None] = lambda _: None,
    ) -> DataFile:
        """Bring a file to a unit and return it, complete. One that was begun before is gone on with.

        Header fields that may name a person are blanked on the way, unless `keep_headers`; `cleaned` is told their
        names. Raise `HeaderNamesPerson` where headers are to be kept that must not go there, `RawDataError` for a file
        of no known format, `LocalFileError`, and `TransferFailed`.
        """
        filename = filename or path.name
        with as_it_may_go(path, filename, self._destination(unit_id, mode), keep_headers=keep_headers) as source:
            if source.cleaned_fields:
                cleaned(source.cleaned_fields)
            destination = " ".join((self.server, unit_id or "", mode or "", "clean" if source.clean else "as it is"))
            data_file, arrived = self._begun(self._uploads.find(source, destination)), None
            if data_file is None:
                started = self._begin(source, filename, unit_id, mode)
                data_file, arrived = started.data, PartList(part_size_bytes=started.part_size_bytes, parts=())
                self._uploads.keep(source, destination, data_file.id)
            if data_file.state is DataState.UPLOADING:
                data_file = send_file(
                    self._connection,
                    source,
                    data_file.id,
                    advance=advance,
                    arrived=arrived,
                    acquisition=acquisition_of(path),
                )
            self._uploads.forget(source, destination)
            return data_file

    def resume_upload(
        self, data_id: str, path: Path, *, keep_headers: bool = False, advance: Advance = unheard
    ) -> DataFile:
        """Go on with an upload that was begun anywhere, and return the data file, complete.

        Parts that arrived already are not sent again. Raise as `upload` does, and `LocalFileError` for a file of
        another size than the one that was announced.
        """
        data_file = self.data_file(data_id)
        destination = self._destination(data_file.computing_unit_id, None)
        with as_it_may_go(path, data_file.filename, destination, keep_headers=keep_headers) as source:
            if source.sent_bytes != data_file.size_bytes:
                raise LocalFileError(
                    f"{path} has {source.sent_bytes} bytes, the upload {data_id} {data_file.size_bytes}.",
                    "Give the file that the upload was begun with, or begin another one.",
                    code="other_file",
                )
            if data_file.state is not DataState.UPLOADING:
                return data_file
            return send_file(self._connection, source, data_id, advance=advance, acquisition=acquisition_of(path))

    def abort_upload(self, data_id: str) -> None:
        """Give an upload up."""
        self._connection.ask(Nothing, "POST", f"/api/data/{data_id}/abort", is_repeatable=True)

    def add_data(self, key: str, *, unit_id: str, filename: str | None = None) -> DataFile:
        """Take note of an object that lies in one's own unit already, and return it as a data file."""
        wanted = {"computing_unit_id": unit_id, "key": key, "filename": filename}
        return self._connection.ask(DataFile, "POST", "/api/data/add", body=wanted)

    def data_files(self, *, deleted: bool = False) -> Iterator[DataFile]:
        """Yield this person's data files, complete or on their way, the latest first.

        With `deleted` those that were deleted, or have expired, and that can still be restored.
        """
        query: dict[str, str] = {"deleted": "true"} if deleted else {}
        while True:
            page = self._connection.ask(DataPage, "GET", "/api/data", query=query)
            yield from page.data
            if page.next is None:
                return
            query["before"] = page.next

    def data_file(self, data_id: str) -> DataFile:
        """Return one data file."""
        return self._connection.ask(DataFile, "GET", f"/api/data/{data_id}")

    def rename_data(self, data_id: str, *, filename: str) -> DataFile:
        """Call a data file something else."""
        return self._connection.ask(DataFile, "PATCH", f"/api/data/{data_id}", body={"filename": filename})

    def delete_data(self, *data_ids: str, for_good: bool = False) -> tuple[DataFile, ...]:
        """Delete data files, all or none, and return them; unless `for_good`, they can be restored for a while."""
        wanted = {"data_ids": data_ids, "for_good": for_good}
        return self._connection.ask(DataList, "POST", "/api/data/delete", body=wanted).data

    def restore_data(self, *data_ids: str) -> tuple[DataFile, ...]:
        """Bring deleted data files back, all or none, and return them."""
        wanted = {"data_ids": data_ids}
        return self._connection.ask(DataList, "POST", "/api/data/restore", body=wanted, is_repeatable=True).data

    def download_data(
        self, data_id: str, destination: Path, *, overwrite: bool = False, advance: Advance = unheard
    ) -> DataFile:
        """Bring a data file back. Raise `LocalFileError`, `TransferFailed`, `DamagedTransfer`."""
        data_file = self.data_file(data_id)
        fetch(
            self._connection,
            lambda: self._connection.ask(SignedLink, "GET", f"/api/data/{data_id}/download"),
            destination,
            Expected(size_bytes=data_file.size_bytes, composite=data_file.checksum),
            advance=advance,
            overwrite=overwrite,
        )
        return data_file

    def estimate(
        self,
        document: TaskDocument,
        *,
        unit_id: str | None = None,
        mode: Mode | None = None,
        platform: Platform | None = None,
        deadline_s: int | None = None,
    ) -> Plan:
        """Return what would become of a job: where it runs, how long it takes, what it needs and costs."""
        wanted = _order(unit_id, mode, platform, deadline_s) | document.as_json()
        return self._connection.ask(Plan, "POST", "/api/job/estimate", body=wanted, is_repeatable=True)

    def submit(
        self,
        document: TaskDocument,
        *,
        alias: str | None = None,
        unit_id: str | None = None,
        mode: Mode | None = None,
        platform: Platform | None = None,
        deadline_s: int | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Ask for a job whose files are in a unit, and return it, queued. The same key and request are one job."""
        wanted = {"alias": alias} | _order(unit_id, mode, platform, deadline_s)
        return self._connection.ask(
            Job,
            "POST",
            "/api/job",
            body=wanted | document.as_json(),
            headers={"Idempotency-Key": idempotency_key or secrets.token_hex(16)},
            is_repeatable=True,
        )

    def rerun(self, job_id: str, *, idempotency_key: str | None = None) -> Job:
        """Ask for a job again, on the same unit and data, and return the new one."""
        headers = {"Idempotency-Key": idempotency_key or secrets.token_hex(16)}
        return self._connection.ask(Job, "POST", f"/api/job/{job_id}/rerun", headers=headers, is_repeatable=True)

    def jobs(
        self,
        states: Collection[JobState] = (),
        *,
        unit_id: str | None = None,
        text: str | None = None,
        created_from: datetime | None = None,
        created_to: datetime | None = None,
    ) -> Iterator[Job]:
        """Yield this person's jobs, the latest first, as far as they match."""
        asked = {
            "computing_unit_id": unit_id,
            "text": text,
            "created_from": created_from.isoformat() if created_from else None,
            "created_to": created_to.isoformat() if created_to else None,
        }
        query: dict[str, str | list[str]] = {"state": [str(state) for state in states]}
        query |= {name: value for name, value in asked.items() if value is not None}
        while True:
            page = self._connection.ask(JobPage, "GET", "/api/job", query=query)
            yield from page.jobs
            if page.next is None:
                return
            query["before"] = page.next

    def job(self, job_id: str) -> Job:
        """Return one job."""
        return self._connection.ask(Job, "GET", f"/api/job/{job_id}")

    def follow(self, job_id: str) -> Iterator[News]:
        """Yield the news of a job until it has ended; a line that is cut is taken up again."""
        return follow(self._connection, job_id)

    def job_log(self, job_id: str) -> JobLog:
        """Return what the worker of a job said so far, and what happened to the job."""
        return self._connection.ask(JobLog, "GET", f"/api/job/{job_id}/log")

    def cancel(self, job_id: str) -> Job:
        """Ask for a job's end; it is cancelled when nothing of it runs any more."""
        return self._connection.ask(Job, "POST", f"/api/job/{job_id}/cancel", is_repeatable=True)

    def rename_job(self, job_id: str, *, alias: str) -> Job:
        """Call a job something else."""
        return self._connection.ask(Job, "PATCH", f"/api/job/{job_id}", body={"alias": alias}, is_repeatable=True)

    def delete_job(self, job_id: str) -> Job:
        """Delete a job that has ended, and return it; it can be restored for a while."""
        return self._connection.ask(Job, "DELETE", f"/api/job/{job_id}")

    def restore_job(self, job_id: str) -> Job:
        """Bring a deleted job back, or what a job left whose time is up."""
        return self._connection.ask(Job, "POST", f"/api/job/{job_id}/restore", is_repeatable=True)

    def quota(self) -> Quota:
        """Return how much of the shared unit this person has used, and how much there is."""
        return self._connection.ask(Quota, "GET", "/api/quota")

    def result(self, job_id: str) -> ResultPackage:
        """Return what an ended job left, and the requests that get it."""
        return get_result(self._connection, job_id)

    def download_files(
        self, result: ResultPackage, folder: Path, *, overwrite: bool = False, advance: Advance = unheard
    ) -> list[Path]:
        """Bring every file of a result into a folder and return their paths, each held to the manifest.

        Raise `NoResult`, `DamagedTransfer`, `TransferFailed`, and `LocalFileError` for a file that is there already
        and holds something else, unless `overwrite`.
        """
        return fetch_files(self._connection, result, folder, overwrite=overwrite, advance=advance)

    def download_package(
        self, result: ResultPackage, destination: Path, *, overwrite: bool = False, advance: Advance = unheard
    ) -> None:
        """Bring a result as one zip file, held to the manifest in it. Raise as `download_files` does."""
        fetch_package(self._connection, result, destination, overwrite=overwrite, advance=advance)

    def _destination(self, unit_id: str | None, mode: Mode | None) -> Destination:
        is_here = is_this_machine(self.server)
        if unit_id is not None and not is_here:
            mode = next((unit.mode for unit in self.units() if unit.computing_unit_id == unit_id), None)
        return Destination(is_this_machine=is_here, mode=mode)

    def _begun(self, data_id: str | None) -> DataFile | None:
        """Return the data file of an upload that was begun before, None if nothing can come of it any more."""
        if data_id is None:
            return None
        try:
            data_file = self.data_file(data_id)
        except Refused as error:
            if error.status != httpx.codes.NOT_FOUND:
                raise
            return None
        return data_file if data_file.state in {DataState.UPLOADING, DataState.READY} else None

    def _begin(self, source: SourceFile, filename: str, unit_id: str | None, mode: Mode | None) -> StartedUpload:
        wanted = {"filename": filename, "size": source.sent_bytes, "computing_unit_id": unit_id, "mode": mode}
        return self._connection.ask(StartedUpload, "POST", "/api/data/upload", body=wanted)


def _order(
    unit_id: str | None, mode: Mode | None, platform: Platform | None, deadline_s: int | None
) -> dict[str, str | int | None]:
    return {
        "app_name": APP_NAME,
        "computing_unit_id": unit_id,
        "mode": mode,
        "platform": platform,
        "deadline_s": deadline_s,
    }
