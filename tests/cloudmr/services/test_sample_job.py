from __future__ import annotations

from pathlib import Path

import pytest

from bench import Bench
from benches import MakeBench
from cloudmr.client.acquisition import acquisition_of
from cloudmr.errors import LimitReached
from cloudmr.model.jobs import JobState
from cloudmr.model.limits import Limits
from cloudmr.model.people import Caller
from cloudmr.model.units import Mode
from cloudmr.services.data_files import get_data, list_data
from cloudmr.services.jobs import frozen_document, list_jobs
from cloudmr.services.quotas import get_quota
from cloudmr.services.sample_job import SAMPLE, submit_sample
from cloudmr.storage.base import Bucket
from mroptimum.phantom import DEMO, closed_form, simulate


def test_the_sample_is_data_and_a_job_of_the_persons_own(bench: Bench, ada: Caller, tmp_path: Path) -> None:
    job = submit_sample(bench.brain, ada)
    assert (job.owner_id, job.state, job.alias, job.kind) == (ada.id, JobState.QUEUED, "Sample phantom", "ac sense")
    [data_id] = job.data_ids
    data_file = get_data(bench.brain, ada, data_id).data_file
    assert bench.limits.inputs_kept is not None
    assert data_file.expires_at == bench.clock.now + bench.limits.inputs_kept
    [given] = frozen_document(job).inputs
    assert (given.key, given.checksum) == (data_file.key, data_file.checksum)
    bench.storage.fetch(Bucket.DATA, data_file.key, tmp_path / "sample.dat")
    assert data_file.acquisition == SAMPLE.size
    assert acquisition_of(tmp_path / "sample.dat") == {
        "n_coils": SAMPLE.size.n_coils,
        "matrix": [SAMPLE.size.n_x, SAMPLE.size.n_y, SAMPLE.size.n_z],
        "n_slices": SAMPLE.size.n_slices,
        "n_repetitions": 1,
    }


def test_what_is_said_of_the_sample_is_its_truth() -> None:
    truth = closed_form(simulate(DEMO))
    assert float(truth.sense_snr[truth.mask].mean()) == pytest.approx(SAMPLE.mean_snr, abs=0.005)
    assert float(truth.sense_g[truth.mask].mean()) == pytest.approx(SAMPLE.mean_g, abs=0.005)
    assert SAMPLE.acceleration == DEMO.acceleration


def test_once_more_is_another_job_on_the_same_data(bench: Bench, ada: Caller) -> None:
    first, second = (submit_sample(bench.brain, ada) for _ in range(2))
    assert first.id != second.id
    assert first.data_ids == second.data_ids
    assert get_quota(bench.brain, ada).n_this_month == 2


def test_the_sample_goes_where_the_persons_data_go(bench: Bench, ada: Caller) -> None:
    first = submit_sample(bench.brain, ada)
    own = bench.own_unit(ada, is_default=True)
    second = submit_sample(bench.brain, ada)
    assert (first.unit_id, second.unit_id) == (bench.local_unit.id, own.id)
    assert get_data(bench.brain, ada, second.data_ids[0]).unit.mode is Mode.MODE_2


def test_the_sample_is_no_way_around_a_limit(make_bench: MakeBench) -> None:
    bench = make_bench(limits=Limits(max_stored_bytes_each=1_000_000))
    ada = bench.person()
    with pytest.raises(LimitReached) as refused:
        submit_sample(bench.brain, ada)
    assert refused.value.instance_code == "storage_full"
    assert list_data(bench.brain, ada, limit=10) == []
    assert list_jobs(bench.brain, ada, limit=10) == []
