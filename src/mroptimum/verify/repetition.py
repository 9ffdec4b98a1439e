"""The computation of a package done again from the same files, and every map held to what is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import mroptimum
from mroptimum.errors import RawDataError
from mroptimum.export.nifti import Volume, volumes
from mroptimum.journal import Progress
from mroptimum.package import ResultPackage
from mroptimum.rawdata.anonymise.cleaning import cleaned
from mroptimum.rawdata.summary import sha256_of
from mroptimum.result import InputFile, Map, Result
from mroptimum.run import NoSnr, run
from mroptimum.task import TaskDocument
from mroptimum.verify.agreement import Agreement, MapAgreement, agreement
from mroptimum.verify.errors import VerificationError

NOISE_COVARIANCE = "Noise covariance (complex)"


@dataclass(frozen=True, kw_only=True)
class Repetition:
    """What came of doing it again: one entry for each map, and for the covariance of the noise."""

    maps: tuple[MapAgreement, ...]
    version_then: str
    version_now: str

    @property
    def is_good(self) -> bool:
        """Whether every map was repeated."""
        return all(of_map.agreement.is_good for of_map in self.maps)


def repeat(
    package: ResultPackage, given: Sequence[Path], *, progress: Callable[[Progress], None] = lambda _: None
) -> Repetition:
    """Do a package's task again from its input files, which are known by their SHA-256 whatever they are called now.

    Raises `VerificationError` before anything is computed when a file is not one of the inputs or an input was not
    given, and whatever `run` raises.
    """
    document = package.document
    paths = _paths(document, package.manifest.inputs, given)
    try:
        result = run(document, locate=lambda reference: paths[id(reference)], progress=progress)
    except NoSnr as refusal:
        result = refusal.partial
    return Repetition(
        maps=(*_maps(package, result), *_noise(package, result)),
        version_then=package.manifest.software.version,
        version_now=mroptimum.__version__,
    )


def _paths(document: TaskDocument, inputs: Sequence[InputFile], given: Sequence[Path]) -> Mapping[int, Path]:
    """Return the path of each file reference of the task, by the reference's identity."""
    found = _by_content(inputs, given)
    options = document.task.options.reconstructor.options
    by_role = {of_input.role: of_input for of_input in inputs}
    others = iter([of_input for of_input in inputs if of_input.role not in {"signal", "noise"}])
    paths: dict[int, Path] = {}
    for reference in document.files():
        role = "signal" if reference is options.signal else "noise" if reference is options.noise else ""
        of_input = by_role.get(role) or next(others, None)
        if of_input is None:
            raise VerificationError(
                "The package's task names a file that its manifest does not list among the inputs.",
                "The package contradicts itself; compute the result anew.",
            )
        paths[id(reference)] = found[of_input.sha256]
    return paths


def _by_content(inputs: Sequence[InputFile], given: Sequence[Path]) -> Mapping[str, Path]:
    wanted = {of_input.sha256 for of_input in inputs}
    found: dict[str, Path] = {}
    for path in given:
        if not path.is_file():
            raise VerificationError(f"There is no file {path}.", "Check its name.", code="file_not_found")
        digest = sha256_of(path)
        known = digest if digest in wanted else _sha256_of_clean(path)
        if known not in wanted:
            raise VerificationError(
                f"{path} is not one of the files that the result was made from: its SHA-256 is {digest}.",
                "Give the files that are listed in the manifest under inputs.",
            )
        found[known] = path
    for of_input in inputs:
        if of_input.sha256 not in found:
            raise VerificationError(
                f"The {of_input.role} is needed too: {of_input.size_bytes} bytes, SHA-256 {of_input.sha256}.",
                "Give all files that the result was made from.",
            )
    return found


def _sha256_of_clean(path: Path) -> str:
    """Return the SHA-256 of a file as it was sent if it was uploaded, its header cleaned; the measurement is the same.

    Empty for a file that cannot be looked into.
    """
    try:
        with cleaned(path) as clean:
            return clean.sha256()
    except RawDataError:
        return ""


def _maps(package: ResultPackage, result: Result) -> Iterator[MapAgreement]:
    repeated = {of_map.id: of_map for of_map in result.maps}
    for stored in package.maps:
        again = repeated.pop(stored.id, None)
        if again is None:
            yield MapAgreement(map=stored.name, agreement=Agreement.NOT_REPEATED)
        else:
            yield _of_map(stored.name, package.volumes(stored), again, result)
    for of_map in repeated.values():
        yield MapAgreement(map=of_map.name, agreement=Agreement.NOT_STORED, n_voxels=of_map.data.size)


def _of_map(name: str, stored: Sequence[Volume], again: Map, result: Result) -> MapAgreement:
    repeated = volumes(again.data, result.geometry)
    if len(stored) != len(repeated) or not all(
        a.grid.coincides_with(b.grid) for a, b in zip(stored, repeated, strict=True)
    ):
        return MapAgreement(map=name, agreement=Agreement.NOT_REPEATED)
    return agreement(
        name,
        np.concatenate([of_stack.data.ravel() for of_stack in stored]),
        np.concatenate([of_stack.data.ravel() for of_stack in repeated]),
        is_phase=again.unit == "rad",
    )


def _noise(package: ResultPackage, result: Result) -> Iterator[MapAgreement]:
    stored = package.noise()
    if stored is not None and result.noise is not None:
        yield agreement(NOISE_COVARIANCE, stored.covariance, result.noise.covariance)
    elif stored is not None:
        yield MapAgreement(map=NOISE_COVARIANCE, agreement=Agreement.NOT_REPEATED)
    elif result.noise is not None:
        yield MapAgreement(map=NOISE_COVARIANCE, agreement=Agreement.NOT_STORED)
