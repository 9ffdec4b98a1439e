"""ECS on Fargate: tasks run as child processes with the credentials of their role, in sizes that there are.

Added to MiniStack: a container's entry point, the size of a task and its overrides, being killed for memory, the task
role's credentials, and the execution role's rights to pull the image and to write the log.
"""

from __future__ import annotations

from typing import Any

from ministack.core.responses import error_response_json, get_account_id, get_region
from ministack.services import ecs
from tests.aws.emulator.containers import CONTAINERS, Engine
from tests.aws.emulator.rights import acts_for, refusal, session_credentials, trusts_service
from tests.aws.emulator.settings import SETTINGS

_SESSION_S = 6 * 3600
_GIB = 1024
FARGATE_SIZES: dict[int, range | tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: range(1 * _GIB, 4 * _GIB + 1, _GIB),
    1024: range(2 * _GIB, 8 * _GIB + 1, _GIB),
    2048: range(4 * _GIB, 16 * _GIB + 1, _GIB),
    4096: range(8 * _GIB, 30 * _GIB + 1, _GIB),
    8192: range(16 * _GIB, 60 * _GIB + 1, 4 * _GIB),
    16384: range(32 * _GIB, 120 * _GIB + 1, 8 * _GIB),
}
"""Memory in MiB that Fargate offers for each number of CPU units."""
_EPHEMERAL_GIB = range(21, 201)
_PULL = (
    ("ecr:GetAuthorizationToken", "*"),
    ("ecr:BatchCheckLayerAvailability", ""),
    ("ecr:BatchGetImage", ""),
    ("ecr:GetDownloadUrlForLayer", ""),
)

_build, _register, _run_task, _register_definition = (
    ecs._build_run_kwargs,
    ecs._register_metadata,
    ecs._run_task,
    ecs._register_task_definition,
)
_run_container, _forward_logs, _mark_stopped = (
    ecs._run_docker_container,
    ecs._start_awslogs_forwarder,
    ecs._mark_task_stopped,
)


def install() -> None:
    """Have tasks run here."""
    ecs._get_docker = lambda: Engine
    ecs._build_run_kwargs = _run_arguments
    ecs._register_metadata = _surroundings
    ecs._run_task = _sized_run_task
    ecs._register_task_definition = _sized_definition
    ecs._run_docker_container = _pulled_container
    ecs._start_awslogs_forwarder = _written_logs
    ecs._mark_task_stopped = _explained_stop
    actions = ecs._ACTION_MAP
    actions["RunTask"], actions["RegisterTaskDefinition"] = _sized_run_task, _sized_definition


def _sized_definition(data: dict[str, Any]) -> Any:
    return _refused_size(data.get("cpu"), data.get("memory"), data.get("ephemeralStorage")) or _register_definition(
        data
    )


def _sized_run_task(data: dict[str, Any]) -> Any:
    definition = ecs._task_defs.get(ecs._resolve_td_key(data.get("taskDefinition", ""))) or {}
    overrides = data.get("overrides") or {}
    refused = _refused_size(
        overrides.get("cpu", definition.get("cpu")),
        overrides.get("memory", definition.get("memory")),
        overrides.get("ephemeralStorage", definition.get("ephemeralStorage")),
    )
    return refused or _run_task(data)


def _refused_size(cpu: object, memory: object, storage: dict[str, Any] | None) -> Any:
    try:
        offered = FARGATE_SIZES.get(int(str(cpu)), ())
        is_offered = int(str(memory)) in offered
    except ValueError:
        is_offered = False
    if not is_offered:
        words = f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory."
        return error_response_json("ClientException", words, 400)
    if storage is not None and int(storage.get("sizeInGiB", 0)) not in _EPHEMERAL_GIB:
        return error_response_json("ClientException", "ephemeralStorage.sizeInGiB is from 21 to 200.", 400)
    return None


def _run_arguments(container: dict[str, Any], definition: dict[str, Any], *given: Any, **named: Any) -> Any:
    arguments = _build(container, definition, *given, **named)
    if container.get("entryPoint"):
        arguments["entrypoint"] = container["entryPoint"]
    overrides = ecs._tasks[arguments["labels"]["com.amazonaws.ecs.task-arn"]].get("overrides") or {}
    memory = overrides.get("memory") or container.get("memory") or definition.get("memory")
    arguments["memory_mib"] = int(memory) if memory else None
    # Which roles the container is started with is asked for by `_pulled_container` alone.
    arguments["roles"] = (definition.get("executionRoleArn"), definition.get("taskRoleArn"))
    return arguments


def _surroundings(task_arn: str, cluster: str, definition: dict[str, Any], container: Any, *given: Any) -> Any:
    token = _register(task_arn, cluster, definition, container, *given)
    env: dict[str, str] = given[1]
    for name in [name for name in env if name.startswith(("AWS_CONTAINER_", "ECS_CONTAINER_"))]:
        # They name hosts that the SDK refuses, and an address without TLS; the session is handed over instead.
        del env[name]
    env.update(SETTINGS.child_environment(get_region()))
    role = definition.get("taskRoleArn")
    if role:
        env.update(session_credentials(role, task_arn.rsplit("/", 1)[-1], _SESSION_S))
    return token


def _pulled_container(engine: Any, container: dict[str, Any], arguments: dict[str, Any], **how: Any) -> Any:
    execution_role, task_role = arguments.pop("roles")
    for role in (execution_role, task_role):
        if role and not trusts_service(role, "ecs-tasks.amazonaws.com"):
            raise RuntimeError(f"ECS was unable to assume the role '{role}'.")
    registry, _, name = container["image"].partition("/")
    account, _, _, region = registry.split(".")[:4]
    repository = f"arn:aws:ecr:{region}:{account}:repository/{name.partition('@')[0].partition(':')[0]}"
    for right, resource in _PULL:
        if not acts_for(execution_role, "ecs", right, resource or repository, region):
            words = refusal(execution_role, "ecs", right, resource or repository)
            raise RuntimeError(f"CannotPullContainerError: AccessDeniedException: {words}")
    return _run_container(engine, container, arguments, **how)


def _written_logs(container: Any, definition: dict[str, Any], task_id: str) -> None:
    options = (definition.get("logConfiguration") or {}).get("options") or {}
    group, region = options.get("awslogs-group"), options.get("awslogs-region") or get_region()
    resource = f"arn:aws:logs:{region}:{get_account_id()}:log-group:{group}:log-stream:-"
    rights = ("logs:CreateLogStream", "logs:PutLogEvents")
    if group and all(acts_for(_execution_role(task_id), "ecs", right, resource, region) for right in rights):
        _forward_logs(container, definition, task_id)


def _execution_role(task_id: str) -> str:
    task = next(task for arn, task in ecs._tasks.items() if arn.endswith(task_id))
    role: str = (ecs._task_defs.get(ecs._resolve_td_key(task["taskDefinitionArn"])) or {}).get("executionRoleArn", "")
    return role


def _explained_stop(task_arn: str, task: dict[str, Any], *given: Any, **named: Any) -> Any:
    killed = any(CONTAINERS[each].is_out_of_memory for each in task.get("_docker_ids") or () if each in CONTAINERS)
    if killed:
        for container in task.get("containers", []):
            container["reason"] = "OutOfMemoryError: container killed due to memory usage"
    return _mark_stopped(task_arn, task, *given, **named)
