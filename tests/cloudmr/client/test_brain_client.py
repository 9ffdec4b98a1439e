"""The client against a real Brain: accounts, data, jobs, results."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cloudmr.client.answers import Job, JobEvent
from cloudmr.client.brain import BrainClient
from cloudmr.client.errors import DamagedTransfer, LocalFileError, NoResult, Refused, SignInNeeded
from cloudmr.model.data_files import DataState
from cloudmr.model.jobs import JobState
from cloudmr.model.units import Mode, Provider
from cloudmr.storage.checksums import checksum_file
from mroptimum.errors import UnreadableFile
from mroptimum.flags import Flags
from real_brain import PASSWORD, RealBrain
from small_job import raw_data


@pytest.fixture
def client(real_brain: RealBrain) -> Iterator[BrainClient]:
    with real_brain.person() as client:
        yield client


@pytest.fixture(scope="module")
def raw_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return raw_data(tmp_path_factory.mktemp("raw") / "meas.npz", np.random.default_rng(1))


def submit(client: BrainClient, raw_file: Path, *, alias: str | None = None) -> Job:
    return client.submit(Flags().document(client.upload(raw_file).reference, None), alias=alias)


def ended(client: BrainClient, job: Job) -> Job:
    *_, last = (news for news in client.follow(job.job_id) if isinstance(news, Job))
    return last


@pytest.fixture(scope="module")
def finished(real_brain: RealBrain, raw_file: Path) -> Iterator[tuple[BrainClient, Job]]:
    """Return a job that succeeded, and whose it is."""
    with real_brain.person() as client:
        yield client, ended(client, submit(client, raw_file))


def test_an_account_is_opened_used_and_left(real_brain: RealBrain, tmp_path: Path) -> None:
    with BrainClient(real_brain.url, folder=tmp_path) as client:
        email = real_brain.new_email()
        session = client.log_in(email=email, password=PASSWORD)
        assert client.profile().email == email
        assert client.profile().user_id == session.user_id
        client.log_out()
        assert not client.is_signed_in
        with pytest.raises(SignInNeeded):
            client.profile()


def test_a_wrong_password_is_refused_in_the_words_of_the_brain(real_brain: RealBrain, tmp_path: Path) -> None:
    with BrainClient(real_brain.url, folder=tmp_path) as client, pytest.raises(Refused) as caught:
        client.log_in(email=real_brain.new_email(), password="wrong horse battery")
    assert caught.value.instance_code == "wrong_credentials"


def test_a_token_that_has_ended_is_no_token(real_brain: RealBrain, tmp_path: Path) -> None:
    with BrainClient(real_brain.url, token="cmr_unknown", folder=tmp_path) as client, pytest.raises(SignInNeeded):
        client.profile()


def test_a_brain_below_prod_is_the_same(real_brain: RealBrain, tmp_path: Path) -> None:
    email = real_brain.new_email()
    with BrainClient(f"{real_brain.url}/Prod/", folder=tmp_path) as client:
        client.log_in(email=email, password=PASSWORD)
        assert client.profile().email == email


def test_the_shared_unit_is_there_for_everybody(client: BrainClient) -> None:
    [unit] = client.units()
    assert (unit.mode, unit.provider) == (Mode.MODE_1, Provider.CLOUDMRHUB)


def test_a_data_file_goes_there_is_renamed_comes_back_and_is_deleted(
    client: BrainClient, raw_file: Path, tmp_path: Path
) -> None:
    told: list[int] = []
    uploaded = client.upload(raw_file, advance=told.append)
    assert uploaded.state is DataState.READY
    assert uploaded.checksum == checksum_file(raw_file).composite
    assert sum(told) == raw_file.stat().st_size
    assert list(client.data_files()) == [uploaded]
    assert client.rename_data(uploaded.id, filename="other.npz").filename == "other.npz"
    client.download_data(uploaded.id, tmp_path / "back.npz")
    assert (tmp_path / "back.npz").read_bytes() == raw_file.read_bytes()
    client.delete_data(uploaded.id)
    assert list(client.data_files()) == []
    with pytest.raises(Refused) as caught:
        client.data_file(uploaded.id)
    assert caught.value.status == 404


def test_a_file_that_is_no_raw_file_stays_here(client: BrainClient, tmp_path: Path) -> None:
    (tmp_path / "meas.dat").write_bytes(b"\xff\xd8\xff\xe0 a JPEG picture" * 10)
    with pytest.raises(UnreadableFile, match="JPEG"):
        client.upload(tmp_path / "meas.dat")
    assert list(client.data_files()) == []


def test_nobody_sees_what_is_somebody_elses(client: BrainClient, real_brain: RealBrain, raw_file: Path) -> None:
    uploaded = client.upload(raw_file)
    with real_brain.person() as stranger, pytest.raises(Refused) as caught:
        stranger.data_file(uploaded.id)
    assert caught.value.status == 404


@pytest.mark.slow
def test_a_job_is_followed_to_its_end(client: BrainClient, raw_file: Path) -> None:
    job = submit(client, raw_file, alias="a small one")
    assert (job.status, job.alias) == (JobState.QUEUED, "a small one")
    news = list(client.follow(job.job_id))
    states = [told.status for told in news if isinstance(told, Job)]
    assert states[-1] is JobState.SUCCEEDED
    numbers = [told.number for told in news if isinstance(told, JobEvent)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert [job.job_id for job in client.jobs([JobState.SUCCEEDED])] == [job.job_id]
    assert list(client.jobs([JobState.FAILED, JobState.QUEUED])) == []
    assert client.job(job.job_id).has_ended


def test_the_same_key_is_the_same_job(client: BrainClient, raw_file: Path) -> None:
    document = Flags().document(client.upload(raw_file).reference, None)
    first, second = (client.submit(document, idempotency_key="once") for _ in range(2))
    assert first.job_id == second.job_id
    assert len(list(client.jobs())) == 1


def test_the_log_says_what_happened_and_what_the_worker_did(finished: tuple[BrainClient, Job]) -> None:
    client, job = finished
    log = client.job_log(job.job_id)
    assert log.is_available
    assert [event.new for event in log.events if event.new][-1] is JobState.SUCCEEDED
    assert any("reading the signal" in line.message for line in log.lines)


def test_a_job_that_has_ended_stays_ended(finished: tuple[BrainClient, Job]) -> None:
    client, job = finished
    with pytest.raises(Refused):
        client.cancel(job.job_id)
    assert client.job(job.job_id).status is JobState.SUCCEEDED


def test_a_result_comes_whole_and_is_what_its_manifest_says(finished: tuple[BrainClient, Job], tmp_path: Path) -> None:
    client, job = finished
    told: list[int] = []
    paths = client.download_files(client.result(job.job_id), tmp_path, advance=told.append)
    manifest = json.loads((tmp_path / "manifest.json").read_bytes())
    assert {path.relative_to(tmp_path).as_posix() for path in paths} == {
        "manifest.json",
        *(output["path"] for output in manifest["outputs"]),
    }
    for output in manifest["outputs"]:
        assert hashlib.sha256((tmp_path / output["path"]).read_bytes()).hexdigest() == output["sha256"]
    assert sum(told) == sum(path.stat().st_size for path in paths)
    client.download_files(client.result(job.job_id), tmp_path)


def test_a_result_comes_as_one_file_too(finished: tuple[BrainClient, Job], tmp_path: Path) -> None:
    client, job = finished
    client.download_package(client.result(job.job_id), tmp_path / "package.zip")
    with zipfile.ZipFile(tmp_path / "package.zip") as archive:
        assert {"manifest.json", "report.html", "data/snr.nii.gz"} <= set(archive.namelist())


def test_another_manifest_than_the_brain_knows_is_not_believed(
    finished: tuple[BrainClient, Job], tmp_path: Path
) -> None:
    client, job = finished
    result = client.result(job.job_id).model_copy(update={"manifest_sha256": "0" * 64})
    with pytest.raises(DamagedTransfer):
        client.download_files(result, tmp_path / "files")
    with pytest.raises(DamagedTransfer):
        client.download_package(result, tmp_path / "package.zip")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_name_that_leads_out_of_the_folder_is_not_written(finished: tuple[BrainClient, Job], tmp_path: Path) -> None:
    client, job = finished
    result = client.result(job.job_id)
    [manifest] = [file for file in result.files if file.name == "manifest.json"]
    forged = b'{"outputs": [{"path": "../escaped", "size_bytes": 1, "sha256": ""}]}'
    (tmp_path / "manifest.json").write_bytes(forged)
    escaped = manifest.model_copy(update={"name": "../escaped"})
    manifest = manifest.model_copy(update={"size_bytes": len(forged)})
    evil = result.model_copy(
        update={"files": (manifest, escaped), "manifest_sha256": hashlib.sha256(forged).hexdigest()}
    )
    with pytest.raises(DamagedTransfer, match="outside"):
        client.download_files(evil, tmp_path)
    assert not (tmp_path.parent / "escaped").exists()


def test_a_file_of_ones_own_is_not_written_over(finished: tuple[BrainClient, Job], tmp_path: Path) -> None:
    client, job = finished
    (tmp_path / "report.html").write_text("mine")
    with pytest.raises(LocalFileError):
        client.download_files(client.result(job.job_id), tmp_path)
    assert (tmp_path / "report.html").read_text() == "mine"


@pytest.mark.slow
def test_a_job_without_noise_says_why_and_leaves_its_failure_package(
    client: BrainClient, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = raw_data(tmp_path / "meas.npz", rng, noise=False)
    job = ended(client, submit(client, path))
    assert job.status is JobState.FAILED
    assert job.failure is not None
    assert job.failure.code == "no_noise"
    client.download_files(client.result(job.job_id), tmp_path / "failure")
    assert json.loads((tmp_path / "failure" / "error.json").read_bytes())["code"] == "no_noise"


def test_a_job_that_left_nothing_says_so(finished: tuple[BrainClient, Job], tmp_path: Path) -> None:
    client, job = finished
    nothing = client.result(job.job_id).model_copy(update={"files": (), "package": None})
    with pytest.raises(NoResult):
        client.download_files(nothing, tmp_path)
    with pytest.raises(NoResult):
        client.download_package(nothing, tmp_path / "package.zip")


@pytest.mark.slow
def test_a_result_is_asked_for_too_early(client: BrainClient, raw_file: Path) -> None:
    job = submit(client, raw_file)
    with pytest.raises(Refused) as caught:
        client.result(job.job_id)
    assert caught.value.instance_code == "job_not_ended"
    ended(client, job)
