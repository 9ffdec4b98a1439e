from __future__ import annotations

import pytest

from cloudmr.cli.exit_codes import EPILOG, ExitCode, exit_code_of
from cloudmr.cli.extras import missing_extra
from cloudmr.client.errors import BrainUnreachable, ClientError, Refused, SignInNeeded
from mroptimum.errors import ExplainedError, MissingExtra, TaskError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Refused({"code": "not_found", "message": "No.", "next_step": "Check."}, status=404), 1),
        (TaskError("No.", "Check."), 1),
        (MissingExtra("No.", "Install."), 2),
        (SignInNeeded(), 3),
        (BrainUnreachable("https://brain", "cut"), 4),
        (ClientError("No.", "Check."), 1),
    ],
)
def test_each_error_has_its_code(error: ExplainedError, code: int) -> None:
    assert exit_code_of(error) == code


def test_the_table_is_printed_whole() -> None:
    assert all(f"{code.value} {code.meaning}" in EPILOG for code in ExitCode)
    assert [code.value for code in ExitCode] == [0, 1, 2, 3, 4, 130]


@pytest.mark.parametrize(
    ("module", "extra"), [("httpx", "client"), ("uvicorn.config", "server"), ("sqlalchemy.orm", "server")]
)
def test_a_part_that_is_absent_is_named_with_the_way_to_get_it(module: str, extra: str) -> None:
    error = missing_extra(ModuleNotFoundError(f"No module named {module!r}", name=module))
    assert error is not None
    assert f"pip install 'mroptimum[{extra}]'" in error.next_step


def test_another_module_that_is_absent_is_a_fault_of_ours() -> None:
    assert missing_extra(ModuleNotFoundError("No module named 'cloudmr.absent'", name="cloudmr.absent")) is None
