"""A kept session that outlives its first token."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudmr.client.brain import BrainClient
from cloudmr.client.credentials import Identity, find_identity, keep_identity
from cloudmr.client.errors import SignInNeeded
from real_brain import PASSWORD, RealBrain

EXPIRED = "cmr_expired"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"CLOUDMR_CONFIG": str(tmp_path)}


@pytest.fixture
def session(real_brain: RealBrain, tmp_path: Path) -> Identity:
    """Return a session whose access token is no longer good."""
    with BrainClient(real_brain.url, folder=tmp_path) as client:
        session = client.log_in(email=real_brain.new_email(), password=PASSWORD)
    return Identity(server=real_brain.url, token=EXPIRED, refresh_token=session.refresh_token)


def test_it_is_renewed_and_kept(session: Identity, environment: dict[str, str]) -> None:
    keep_identity(session, environment)
    with BrainClient.from_environment(environment) as client:
        profile = client.profile()
        assert client.profile() == profile
    kept = find_identity(environment)
    assert kept.token != EXPIRED
    assert kept.refresh_token != session.refresh_token
    with BrainClient.from_environment(environment) as client:
        assert client.profile() == profile


def test_what_another_program_renewed_is_used(session: Identity, environment: dict[str, str]) -> None:
    keep_identity(session, environment)
    with BrainClient.from_environment(environment) as slow, BrainClient.from_environment(environment) as fast:
        assert fast.profile() == slow.profile()


def test_a_session_that_has_ended_wholly_needs_a_sign_in(session: Identity, environment: dict[str, str]) -> None:
    keep_identity(Identity(server=session.server, token=EXPIRED, refresh_token="cmr_used_up"), environment)
    with BrainClient.from_environment(environment) as client, pytest.raises(SignInNeeded):
        client.profile()


def test_a_token_of_the_environment_is_not_renewed(session: Identity, environment: dict[str, str]) -> None:
    keep_identity(session, environment)
    with (
        BrainClient.from_environment(environment | {"CLOUDMR_TOKEN": "cmr_of_a_script"}) as client,
        pytest.raises(SignInNeeded),
    ):
        client.profile()
    assert find_identity(environment) == session


def test_the_news_of_a_job_are_renewed_too(session: Identity, environment: dict[str, str]) -> None:
    keep_identity(session, environment)
    with BrainClient.from_environment(environment) as client, pytest.raises(Exception, match="no such job") as caught:
        list(client.follow("job_unknown"))
    assert not isinstance(caught.value, SignInNeeded)
