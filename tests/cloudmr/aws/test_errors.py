from __future__ import annotations

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from cloudmr.aws.errors import (
    AccessRefused,
    NotThere,
    OwnCredentials,
    Throttled,
    Unreachable,
    explain,
    explained,
)
from cloudmr.errors import UnitUnavailable


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AccessDenied", AccessRefused),
        ("AccessDeniedException", AccessRefused),
        ("403", AccessRefused),
        ("ExpiredToken", OwnCredentials),
        ("InvalidClientTokenId", OwnCredentials),
        ("RequestTimeTooSkewed", OwnCredentials),
        ("NoSuchBucket", NotThere),
        ("StateMachineDoesNotExist", NotThere),
        ("ThrottlingException", Throttled),
        ("SlowDown", Throttled),
        ("InternalError", UnitUnavailable),
    ],
)
def test_what_aws_answers(code: str, kind: type[UnitUnavailable]) -> None:
    error = explain(ClientError({"Error": {"Code": code, "Message": "m"}}, "Operation"), "start the job")
    assert type(error) is kind
    assert "start the job" in error.message
    assert code in error.message
    assert error.next_step.endswith(".")


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (NoCredentialsError(), OwnCredentials),
        (EndpointConnectionError(endpoint_url="https://x"), Unreachable),
        (ConnectTimeoutError(endpoint_url="https://x"), Unreachable),
        (ReadTimeoutError(endpoint_url="https://x"), Unreachable),
    ],
)
def test_what_never_reaches_aws(raised: BotoCoreError, kind: type[UnitUnavailable]) -> None:
    with pytest.raises(kind, match="start the job"), explained("start the job"):
        raise raised


def test_a_mistake_of_ours_is_not_blamed_on_the_unit() -> None:
    with pytest.raises(ParamValidationError), explained("start the job"):
        raise ParamValidationError(report="no such parameter")
