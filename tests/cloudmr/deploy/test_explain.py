"""What AWS says, and what that comes to: the texts are those that its services send."""

from __future__ import annotations

import pytest

from cloudmr.deploy.errors import AwsRefused, StandsInTheWay
from cloudmr.deploy.explain import StackEvent, explain_brain, explain_event, explain_refusal, explain_task, own_words
from cloudmr.deploy.troubles import WORDS, Trouble
from scripted_account import refusal

FROM_CUSTOM_RESOURCE = "Received response status [FAILED] from custom resource. Message returned: {} (RequestId: 6f2c)"


def event(reason: str, *, resource: str = "Thing", kind: str = "AWS::IAM::Role") -> StackEvent:
    return StackEvent(id="1", resource=resource, type=kind, status="CREATE_FAILED", reason=reason)


@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        ("ExpiredToken", Trouble.CREDENTIALS_EXPIRED),
        ("ExpiredTokenException", Trouble.CREDENTIALS_EXPIRED),
        ("RequestExpired", Trouble.CREDENTIALS_EXPIRED),
        ("SsoExpired", Trouble.CREDENTIALS_EXPIRED),
        ("InvalidClientTokenId", Trouble.CREDENTIALS_INVALID),
        ("SignatureDoesNotMatch", Trouble.CREDENTIALS_INVALID),
        ("NoCredentials", Trouble.CREDENTIALS_MISSING),
        ("AccessDenied", Trouble.MISSING_RIGHTS),
        ("UnauthorizedOperation", Trouble.MISSING_RIGHTS),
        ("StateMachineDoesNotExist", Trouble.STATE_MACHINE_MISSING),
    ],
)
def test_a_refused_call(code: str, trouble: Trouble) -> None:
    error = explain_refusal(refusal(code, "User: arn:aws:iam::123456789012:user/me"))
    assert isinstance(error, StandsInTheWay)
    assert error.instance_code == trouble
    assert error.next_step


def test_a_refusal_that_is_not_known_keeps_its_words() -> None:
    error = explain_refusal(refusal("InternalFailure", "Try later"))
    assert isinstance(error, AwsRefused)
    assert "Try later" in error.message


@pytest.mark.parametrize(
    ("reason", "trouble"),
    [
        (
            (
                "User: arn:aws:iam::123456789012:user/me is not authorized to perform: iam:CreateRole on resource: "
                "arn:aws:iam::123456789012:role/mroptimum-mode2-cloudmr"
            ),
            Trouble.MISSING_RIGHTS,
        ),
        (
            FROM_CUSTOM_RESOURCE.format("The access token has expired or was revoked. Sign in again. (token_expired)"),
            Trouble.INVALID_TOKEN,
        ),
        (
            FROM_CUSTOM_RESOURCE.format("This account is suspended. Write to its operator. (account_not_active)"),
            Trouble.ACCOUNT_NOT_ACTIVE,
        ),
        (
            FROM_CUSTOM_RESOURCE.format("There is no image for units in ap-south-1. (region_without_image)"),
            Trouble.REGION_WITHOUT_IMAGE,
        ),
        (
            (
                "Resource handler returned message: \"'MemorySize' value failed to satisfy constraint: Member must "
                'have value less than or equal to 3008 (Service: Lambda, Status Code: 400)"'
            ),
            Trouble.LAMBDA_MEMORY,
        ),
        (
            (
                'Resource handler returned message: "Lambda does not have permission to access the ECR image. Check '
                'the ECR permissions. (Service: Lambda, Status Code: 403)"'
            ),
            Trouble.IMAGE_NOT_PULLED,
        ),
        (
            (
                'Resource handler returned message: "Source image 262361552878.dkr.ecr.us-east-1.amazonaws.com/m:x '
                'does not exist. Provide a valid source image."'
            ),
            Trouble.IMAGE_NOT_PULLED,
        ),
        (
            FROM_CUSTOM_RESOURCE.format("CloudMR Brain at brain.example.org does not answer (timed out)."),
            Trouble.BRAIN_NOT_REACHED,
        ),
        ("The security token included in the request is expired", Trouble.CREDENTIALS_EXPIRED),
        (
            "The bucket you tried to delete is not empty (Service: S3, Status Code: 409, Error Code: BucketNotEmpty)",
            Trouble.BUCKET_NOT_EMPTY,
        ),
        ("The maximum limit of 1000 roles is exceeded", Trouble.LIMIT_REACHED),
    ],
)
def test_a_failed_part_of_a_stack(reason: str, trouble: Trouble) -> None:
    problem = explain_event(event(reason))
    assert problem is not None
    assert problem.trouble is trouble


def test_a_bucket_name_that_somebody_else_has() -> None:
    reason = "mroptimum-mode2-data-123456789012 already exists"
    problem = explain_event(event(reason, resource="DataBucket", kind="AWS::S3::Bucket"))
    assert problem is not None
    assert problem.trouble is Trouble.BUCKET_TAKEN
    assert "mroptimum-mode2-data-123456789012" in problem.message
    assert "--data-bucket" in problem.fix


def test_what_is_not_known_is_left_in_its_own_words() -> None:
    assert explain_event(event("Something new")) is None
    assert own_words(FROM_CUSTOM_RESOURCE.format("Our words. [x]")) == "Our words. [x]"
    assert own_words("Something new") == "Something new"


def test_what_was_cancelled_because_of_another_is_no_failure_of_its_own() -> None:
    assert not event("Resource creation cancelled").has_failed
    assert event("Something new").has_failed


@pytest.mark.parametrize(
    ("reason", "trouble"),
    [
        (
            (
                "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
                "262361552878.dkr.ecr.us-east-1.amazonaws.com/mroptimum: pull access denied, repository does not exist"
            ),
            Trouble.IMAGE_NOT_PULLED,
        ),
        (
            (
                "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to do request: Head "
                '"https://262361552878.dkr.ecr.us-east-1.amazonaws.com/v2": dial tcp 52.94.1.1:443: i/o timeout'
            ),
            Trouble.NO_WAY_OUT,
        ),
        (
            (
                "ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve ecr registry "
                "auth: AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/r is not authorized to "
                "perform: ecr:GetAuthorizationToken on resource: *"
            ),
            Trouble.EXECUTION_ROLE,
        ),
        (
            (
                "ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry "
                "auth from Amazon ECR: RequestError: send request failed caused by: Post: dial tcp 44.2.1.1:443: i/o "
                "timeout"
            ),
            Trouble.NO_WAY_OUT,
        ),
        (
            "Capacity is unavailable at this time. Please try again later or in a different availability zone",
            Trouble.NO_CAPACITY,
        ),
        ("ECS was unable to assume the role that was provided for this task", Trouble.EXECUTION_ROLE),
    ],
)
def test_a_task_that_does_not_start(reason: str, trouble: Trouble) -> None:
    problem = explain_task(reason)
    assert problem is not None
    assert problem.trouble is trouble


def test_a_task_that_ended_by_itself_is_explained_by_its_job() -> None:
    assert explain_task("Essential container in task exited") is None


def test_the_brains_own_no() -> None:
    wrong = explain_brain("wrong_credentials", "The e-mail address or the password is wrong.")
    assert wrong is not None
    assert "CLOUDMR_PASSWORD" in wrong.fix
    assert explain_brain("queue_full", "Ten jobs wait.") is None


def test_every_trouble_has_its_words() -> None:
    assert WORDS.keys() == set(Trouble)
    assert all(words.message and words.fix for words in WORDS.values())
