"""From a task and its files to the work that it is: what the estimate of time and memory is reckoned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cloudmr.model.acquisition_size import AcquisitionSize
from cloudmr.model.calibration import Work
from mroptimum.task import Method, TaskDocument

_BYTES_PER_SAMPLE = 8
"""A complex number in single precision, as every format has it."""
_LIKE = {Method.DIFFERENCE: "ac rss"}
"""What was not measured by itself, and takes about as long as something that was."""
_USUAL_COILS = 16
_USUAL_REPETITIONS = 10
"""Of a scan that was repeated to measure its noise."""


@dataclass(frozen=True, kw_only=True)
class Workload:
    """The work, and in words what it was reckoned from."""

    work: Work
    basis: str


def kind_of(document: TaskDocument) -> str:
    """Return method and reconstruction of a task, in words that sort: `ac sense`."""
    return f"{document.task.name} {document.task.options.reconstructor.name}".lower()


def workload(document: TaskDocument, *, signal: AcquisitionSize | None, input_sizes_bytes: Sequence[int]) -> Workload:
    """Return the work of a task. Where nobody said how large the signal is, it is guessed from the files' bytes."""
    if signal is not None:
        repeats = f", {signal.n_repetitions} repetitions" if signal.n_repetitions > 1 else ""
        n_voxels, n_coils, n_repetitions = signal.n_voxels, signal.n_coils, signal.n_repetitions
        matrix = " x ".join(str(n) for n in (signal.n_x, signal.n_y, signal.n_z))
        basis = f"{n_coils} coils, {matrix} samples, {signal.n_slices} slices{repeats}"
    else:
        n_coils = _USUAL_COILS
        n_repetitions = _USUAL_REPETITIONS if document.task.name is Method.MR else 1
        n_voxels = sum(input_sizes_bytes) // (_BYTES_PER_SAMPLE * n_coils * n_repetitions)
        basis = f"the size of the input files alone, as if of {n_coils} coils"
    replicas = document.task.options.replicas
    work = Work(
        kind=_LIKE.get(document.task.name, kind_of(document)),
        n_voxels=n_voxels,
        n_coils=n_coils,
        n_replicas=(n_repetitions if document.task.name is Method.MR else replicas or 0),
    )
    return Workload(work=work, basis=f"{basis}, {replicas} replicas" if replicas else basis)
