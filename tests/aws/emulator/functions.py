"""Lambda: functions run as child processes by AWS's own runtime client, with their role's credentials and limits.

Added to MiniStack: image functions without a container engine; zip functions by the same client; the time-out; being
killed for memory; the rights of the function's role to be used by Lambda, to write its log, to read its queue.
"""

from __future__ import annotations

import io
import json
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc
from tests.aws.emulator.children import Child, own_python
from tests.aws.emulator.rights import acts_for, refusal, session_credentials, trusts_service
from tests.aws.emulator.runtime_api import RuntimeApi
from tests.aws.emulator.settings import SETTINGS, Image

_SESSION_S = 12 * 3600
_WORD_AFTER_END_S = 0.3
_unpacking = threading.Lock()
_emit_logs = lambda_svc._emit_lambda_logs
_run_batch = lambda_svc._run_sqs_batch


def install() -> None:
    """Have functions run here."""
    lambda_svc._execute_function_docker = _run
    lambda_svc._execute_function_warm = _run
    lambda_svc._emit_lambda_logs = _write_log
    lambda_svc._run_sqs_batch = _take_from_queue


def _run(function: dict[str, Any], event: object, _request_id: str) -> dict[str, Any]:
    config = function.get("config") or function
    role, name, arn = config.get("Role", ""), config["FunctionName"], config["FunctionArn"]
    if not trusts_service(role, "lambda.amazonaws.com"):
        return _failure("AccessDeniedException", "The role defined for the function cannot be assumed by Lambda.")
    image, argv, handler = _program(function, config)
    if image is None:
        return _failure("Runtime.InvalidEntrypoint", f"The image {config.get('ImageUri')} does not exist.")
    timeout_s, memory_mib = float(config.get("Timeout", 3)), int(config.get("MemorySize", 128))
    deadline = time.monotonic() + timeout_s
    region = arn.split(":")[3]
    with RuntimeApi(event, function_arn=arn, deadline_ms=int((time.time() + timeout_s) * 1000)) as api:
        environment = {
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mib),
            "LAMBDA_TASK_ROOT": image.folder,
            "_HANDLER": handler,
            "TZ": ":UTC",
            **SETTINGS.child_environment(region),
            **session_credentials(role, name, _SESSION_S),
            **{key: str(value) for key, value in lambda_svc._runtime_env_vars(config).items()},
        }
        child = Child(image, argv, environment, owner=arn, memory_mib=memory_mib)
        while not api.answered.wait(0.02) and not child.has_ended and time.monotonic() < deadline:
            pass
        if child.has_ended:
            api.answered.wait(_WORD_AFTER_END_S)
        status, was_killed = child.exit_status, child.out_of_memory
        log = child.forget()
        if api.answered.is_set():
            result: dict[str, Any] = {"body": json.loads(api.body or b"null"), "log": log}
            return {**result, "error": True, "function_error": "Unhandled"} if api.is_error else result
    if status is None:
        words = f"RequestId: {api.request_id} Error: Task timed out after {timeout_s:.2f} seconds"
        return _failure("Sandbox.Timedout", words, log)
    how = "signal: killed" if was_killed or status == 137 else f"exit status {status}"
    # https://github.com/awslabs/aws-deployment-framework/issues/758 shows Lambda's words for a sandbox without memory.
    error = "Runtime.OutOfMemory" if was_killed else "Runtime.ExitError"
    return _failure(error, f"RequestId: {api.request_id} Error: Runtime exited with error: {how}", log)


def _program(function: dict[str, Any], config: dict[str, Any]) -> tuple[Image | None, list[str], str]:
    """Return what a function is started from, its command, and its handler."""
    if config.get("PackageType") == "Image":
        image = SETTINGS.image(config.get("ImageUri", ""))
        wanted = (config.get("ImageConfigResponse") or {}).get("ImageConfig") or config.get("ImageConfig") or {}
        command = list(wanted.get("Command") or [])
        if image is None:
            return None, [], ""
        return image, [*(wanted.get("EntryPoint") or image.argv), *command], command[0] if command else ""
    handler = config["Handler"]
    return Image(folder=str(_unpacked(function["code_zip"]))), [own_python(), "-m", "awslambdaric", handler], handler


def _unpacked(code: bytes) -> Path:
    folder = SETTINGS.folder / "code" / f"{hash(code):x}"
    with _unpacking:
        if not folder.exists():
            with zipfile.ZipFile(io.BytesIO(code)) as archive:
                archive.extractall(folder)
    return folder


def _failure(kind: str, message: str, log: str = "") -> dict[str, Any]:
    body = {"errorType": kind, "errorMessage": message}
    return {"body": body, "error": True, "function_error": "Unhandled", "log": log}


def _write_log(function: dict[str, Any], *given: Any, **named: Any) -> None:
    config = function.get("config") or function
    group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"
    account, region = lambda_runtime._account_region_from_function_config(config)
    resource = f"arn:aws:logs:{region}:{account}:log-group:{group}:log-stream:-"
    rights = ("logs:CreateLogStream", "logs:PutLogEvents")
    # A function whose role may not write logs runs all the same, in silence.
    if all(acts_for(config["Role"], config["FunctionName"], right, resource, region) for right in rights):
        _emit_logs(function, *given, **named)


def _take_from_queue(mapping: dict[str, Any], function: dict[str, Any], *given: Any) -> None:
    config = function.get("config") or function
    queue, region = mapping["EventSourceArn"], mapping["EventSourceArn"].split(":")[3]
    for right in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"):
        if not acts_for(config["Role"], config["FunctionName"], right, queue, region):
            mapping["LastProcessingResult"] = refusal(config["Role"], config["FunctionName"], right, queue)
            return
    _run_batch(mapping, function, *given)
