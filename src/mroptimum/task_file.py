"""A task from a file of JSON."""

from __future__ import annotations

import json
from pathlib import Path

from mroptimum.errors import TaskError
from mroptimum.task import TaskDocument


def read_task_file(path: Path) -> TaskDocument:
    """Return the task document in a file. Raises `TaskError` for what cannot be read, is no JSON or no task."""
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise TaskError(f"The task file cannot be read: {error.strerror}.", "Check its name and rights.") from None
    except (ValueError, RecursionError):
        raise TaskError("The task file is not JSON.", "Check the file with a JSON checker.") from None
    return TaskDocument.parse(document)
