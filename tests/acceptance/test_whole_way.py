"""The whole way of a job: an account, a file over a bad line, a job as it goes, a result with the right numbers."""

from __future__ import annotations

import threading
from pathlib import Path

import httpx
import pytest

from cloudmr.against_truth import compare
from cloudmr.client.answers import Job, JobEvent, Progress
from cloudmr.client.brain import BrainClient
from cloudmr.client.errors import TransferFailed
from cloudmr.model.data_files import DataState
from cloudmr.model.jobs import JobState
from cloudmr.storage.base import PART_SIZE_BYTES
from cloudmr.storage.checksums import checksum_file
from faulty_transport import FaultyTransport
from mroptimum.flags import Flags
from mroptimum.phantom import Written
from real_brain import PASSWORD, RealBrain


class _Network(FaultyTransport):
    """Loses every try to send the second part; counts what is sent of each part."""

    def __init__(self, *, is_bad: bool) -> None:
        super().__init__(lose=self._is_lost)
        self._is_bad = is_bad
        self.sent: set[str] = set()
        self._first_is_there = threading.Event()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if request.url.params.get("part") == "1":
            self._first_is_there.set()
        return response

    def _is_lost(self, request: httpx.Request) -> bool:
        part = request.url.params.get("part")
        if request.method != "PUT" or part is None:
            return False
        if self._is_bad and part == "2":
            # Else the first might be given up on its way, because this one was lost.
            assert self._first_is_there.wait(20)
            return True
        self.sent.add(part)
        return False


@pytest.mark.slow
def test_a_scan_becomes_the_right_numbers(real_brain: RealBrain, phantom: Written, tmp_path: Path) -> None:
    email = real_brain.new_email()
    assert PART_SIZE_BYTES < phantom.raw.stat().st_size <= 2 * PART_SIZE_BYTES
    bad, good = _Network(is_bad=True), _Network(is_bad=False)

    with BrainClient(real_brain.url, folder=tmp_path, transport=bad, pause=lambda _: None) as client:
        client.log_in(email=email, password=PASSWORD)
        with pytest.raises(TransferFailed):
            client.upload(phantom.raw)
        [begun] = client.data_files()
        assert begun.state is DataState.UPLOADING
        assert bad.sent == {"1"}

    with BrainClient(real_brain.url, folder=tmp_path, transport=good) as client:
        client.log_in(email=email, password=PASSWORD)
        data_file = client.upload(phantom.raw)
        assert data_file.id == begun.id
        assert good.sent == {"2"}
        assert data_file.checksum == checksum_file(phantom.raw).composite

        flags = Flags(method="ac", reconstruction="sense", acceleration=2)
        job = client.submit(flags.document(data_file.reference, None))
        news = list(client.follow(job.job_id))
        assert {type(told) for told in news} >= {Job, JobEvent}
        steps = [told.new for told in news if isinstance(told, JobEvent)]
        assert steps == [JobState.QUEUED, JobState.DISPATCHED, JobState.RUNNING, JobState.SUCCEEDED]
        assert any(isinstance(told, Progress) or (isinstance(told, Job) and told.progress) for told in news)

        package = tmp_path / "package"
        client.download_files(client.result(job.job_id), package)

    found = {comparison.name: comparison for comparison in compare(package, phantom)}
    assert abs(found["mean SNR"].deviation_percent) < 1
    assert abs(found["mean g"].deviation_percent) < 1
    assert {"report.html", "info.json", "data"} <= {path.name for path in package.iterdir()}
