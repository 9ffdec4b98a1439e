"""What a container engine's Python library offers, as far as MiniStack asks for it, over child processes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.aws.emulator.children import Child
from tests.aws.emulator.settings import SETTINGS, Image

_FOLLOW_EVERY_S = 0.02
_STOP_GRACE_S = 5.0


class Container:
    """A container that is a child process."""

    def __init__(
        self, image: Image, argv: Sequence[str], environment: Mapping[str, str], memory_mib: int | None
    ) -> None:
        self._child = Child(image, argv, environment, owner="task", memory_mib=memory_mib)
        self.id = self._child.id
        self.attrs: dict[str, Any] = {"NetworkSettings": {"Networks": {}}, "State": {}}
        self.ports: dict[str, Any] = {}

    @property
    def status(self) -> str:
        """As the engine words it."""
        return "exited" if self._child.has_ended else "running"

    @property
    def is_out_of_memory(self) -> bool:
        """Whether it was killed for its memory."""
        return self._child.out_of_memory

    def reload(self) -> None:
        """Look anew; there is nothing to look up."""

    def wait(self, timeout: float | None = None) -> dict[str, int]:
        """Wait for its end."""
        return {"StatusCode": self._child.wait(timeout)}

    def stop(self, timeout: float = _STOP_GRACE_S) -> None:
        """Ask it to end."""
        self._child.stop(timeout)

    def remove(self, **_how: Any) -> None:
        """Remove it with everything it left."""
        self._child.forget()
        CONTAINERS.pop(self.id, None)

    def logs(self, *, stream: bool = False, **_how: Any) -> bytes | Iterator[bytes]:
        """Return what it has printed, or follow it to its end."""
        return self._follow() if stream else self._child.log.read_bytes()

    def _follow(self) -> Iterator[bytes]:
        with self._child.log.open("rb") as log:
            while True:
                if line := log.readline():
                    yield line
                elif self._child.has_ended:
                    yield log.read()
                    return
                else:
                    time.sleep(_FOLLOW_EVERY_S)


CONTAINERS: dict[str, Container] = {}


class _Containers:
    @staticmethod
    def run(image: str, command: Sequence[str] | None = None, **how: Any) -> Container:
        found = SETTINGS.image(image)
        if found is None:
            raise RuntimeError(
                f"CannotPullContainerError: pull image manifest has been retried 1 time(s): {image}: not found"
            )
        entry = [] if found.docker else how.get("entrypoint") or found.argv
        started = Container(found, [*entry, *(command or [])], how.get("environment") or {}, how.get("memory_mib"))
        CONTAINERS[started.id] = started
        return started

    @staticmethod
    def get(container_id: str) -> Container:
        return CONTAINERS[container_id]


class _Images:
    @staticmethod
    def pull(image: str, **_how: Any) -> Image:
        return _Images.get(image)

    @staticmethod
    def get(image: str) -> Image:
        found = SETTINGS.image(image)
        if found is None:
            raise RuntimeError(f"{image}: not found")
        return found


class Engine:
    """The engine's client."""

    containers = _Containers
    images = _Images
