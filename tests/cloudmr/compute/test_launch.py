from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudmr.compute.base import ExecutionRequest, Resources
from cloudmr.compute.launch import Launch, RetryPolicy

LAUNCH = Launch(
    request=ExecutionRequest(
        job_id="job_x",
        attempt=2,
        document_url="http://brain/document",
        callback_url="http://brain/callback",
        progress_url="http://brain/progress",
        key_id="key",
        secret="secret",
        resources=Resources(memory_bytes=1, cpu_time_s=2, disk_bytes=3, deadline_s=4),
    ),
    storage_root="/storage",
    worker_command=("python", "-m", "worker"),
    stop_grace_s=1.5,
    look_every_s=0.1,
    retry=RetryPolicy(first_wait_s=0.5, longest_wait_s=2, give_up_after_s=9),
)


def test_a_launch_is_read_as_it_was_written() -> None:
    assert Launch.parse(LAUNCH.to_bytes()) == LAUNCH


@given(st.integers(min_value=0, max_value=len(LAUNCH.to_bytes()) - 1))
def test_a_part_of_a_launch_starts_nothing(length: int) -> None:
    # As when the Brain dies while it writes.
    with pytest.raises(ValueError):  # noqa: PT011 - of JSON or of ours
        Launch.parse(LAUNCH.to_bytes()[:length])


@pytest.mark.parametrize("message", [b"{}", b"[]", b'{"request": {}}', b'{"request": {"resources": {}}}'])
def test_something_else_is_no_launch(message: bytes) -> None:
    with pytest.raises(ValueError, match="no launch message"):
        Launch.parse(message)


def test_the_secret_is_not_shown() -> None:
    assert "secret" not in repr(LAUNCH.request)


def test_waits_grow_up_to_a_limit_and_end() -> None:
    policy = RetryPolicy(first_wait_s=1, longest_wait_s=5, give_up_after_s=20)
    assert list(policy.waits_s()) == [1, 2, 4, 5, 5]


@given(
    first=st.floats(min_value=0.01, max_value=10),
    longest=st.floats(min_value=0.01, max_value=100),
    total=st.floats(min_value=0, max_value=1000),
)
def test_waiting_never_takes_longer_than_allowed(first: float, longest: float, total: float) -> None:
    waits_s = list(RetryPolicy(first_wait_s=first, longest_wait_s=longest, give_up_after_s=total).waits_s())
    assert sum(waits_s) <= total * (1 + 1e-9)
    assert all(wait_s <= max(first, longest) for wait_s in waits_s)
