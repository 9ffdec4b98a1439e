"""The result package: a folder that says what was found, how, from what, and with what; and the same for a failure.

``info.json`` and ``data/*.nii.gz`` are laid out as existing readers expect; ``manifest.json`` lists every other file
with its hash and is written last, so a package with a manifest is complete. ``package.zip`` holds all of it. Names of
input files, which may name a person, appear nowhere.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import sys
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

import mroptimum
from mroptimum.convention import CONVENTION
from mroptimum.errors import Explanation
from mroptimum.export.matlab import write_matlab
from mroptimum.export.nifti import stacks, write_nifti
from mroptimum.noise import NoiseModel, whitener
from mroptimum.package.layout import ARCHIVE as ARCHIVE
from mroptimum.package.layout import ERROR, INFO, NOISE
from mroptimum.package.layout import MANIFEST as MANIFEST
from mroptimum.report.html import write_report
from mroptimum.result import LogEntry, Map, MapId, MapKind, Result
from mroptimum.task import TaskDocument

LIBRARIES = ("numpy", "scipy", "nibabel", "h5py", "ismrmrd", "twixtools")
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a result was computed, as far as the place knows."""

    unit_id: str | None = None
    job_id: str | None = None
    attempt: int | None = None
    container_digest: str | None = None


def write_package(
    result: Result, folder: Path, *, provenance: Provenance, log: Sequence[LogEntry] | None = None
) -> Path:
    """Write a result into `folder` (made, must be empty) and return the path of its manifest.

    `log` is that of the whole job where there is more to say than the run did.
    """
    _empty(folder)
    _write_content(result, folder)
    _write_log(result.log if log is None else log, folder)
    return _seal(folder, _manifest(result, provenance))


def write_failure_package(
    folder: Path,
    *,
    error: Explanation,
    document: TaskDocument | None,
    log: Sequence[LogEntry],
    provenance: Provenance,
    partial: Result | None = None,
) -> Path:
    """Write what is known of a failure into `folder`, with the image where there is one, and return its manifest."""
    _empty(folder)
    task = document.anonymous().as_json() if document else None
    if partial is not None:
        _write_content(partial, folder)
    _write_json(folder / ERROR, dict(error))
    _write_log(log, folder)
    _write_json(folder / "task.json", task)
    manifest = _manifest(partial, provenance) if partial else {"schema": 1, "task": task, **_made(provenance)}
    return _seal(folder, manifest | {"error": dict(error)})


def _write_log(log: Sequence[LogEntry], folder: Path) -> None:
    _write_json(folder / "log.json", [_log_row(entry) for entry in log])


def _empty(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty")


def _write_content(result: Result, folder: Path) -> None:
    (folder / "data").mkdir()
    entries = [entry for of_map in result.maps for entry in _write_map(of_map, result, folder)]
    if result.noise is not None:
        entries += _write_noise(result.noise, folder)
    if result.document.output.coilsensitivity and result.coil_maps:
        of_noise = {} if result.noise is None else {"whitening": whitener(result.noise)}
        maps = {"maps": np.stack([c.maps for c in result.coil_maps]), **of_noise}
        np.savez_compressed(folder / "data" / "coil_sensitivities.npz", allow_pickle=False, **maps)
    _write_json(folder / "task.json", result.document.as_json())
    _write_json(folder / INFO, _info(result, entries))
    if result.document.output.matlab:
        write_matlab(result, folder / "matlab.mat")
    write_report(result, folder / "report.html")


def _write_map(of_map: Map, result: Result, folder: Path) -> Iterable[dict[str, Any]]:
    found = stacks(result.geometry, of_map.data.shape[0], (of_map.data.shape[1], of_map.data.shape[2]))
    for number, stack in enumerate(found, start=1):
        suffix = f"_stack{number}" if len(found) > 1 else ""
        name = f"data/{_slug(of_map.name)}{suffix}.nii.gz"
        write_nifti(folder / name, of_map.data, stack, unit=of_map.unit, description=of_map.name)
        yield _entry(name, of_map.id, 3, of_map.name, of_map.kind, str(of_map.data.dtype)) | {
            "unit": of_map.unit,
            "description": of_map.description,
        }


def _write_noise(noise: NoiseModel, folder: Path) -> Iterable[dict[str, Any]]:
    """Write covariance and correlation: magnitudes for viewers, the complex matrices as npz."""
    matrices = {
        (MapId.NOISE_COVARIANCE, "Noise Covariance", "a.u.^2"): noise.covariance,
        (MapId.NOISE_COEFFICIENTS, "Noise Coefficients", "1"): noise.correlation,
    }
    for (number, name, unit), matrix in matrices.items():
        path = f"data/{_slug(name)}.nii.gz"
        [stack] = stacks((), 1, (len(matrix), len(matrix)))
        write_nifti(folder / path, np.abs(matrix).astype(np.float32)[None], stack, unit=unit, description=name)
        yield _entry(path, number, 2, name, MapKind.ACCESSORY, "float32") | {"unit": unit}
    np.savez_compressed(
        folder / NOISE,
        covariance=noise.covariance,
        correlation=noise.correlation,
        sample_covariance=noise.sample_covariance,
    )


def _entry(filename: str, number: int, dim: int, name: str, kind: MapKind, pixel_type: str) -> dict[str, Any]:
    return {
        "filename": filename,
        "id": number,
        "dim": dim,
        "name": name,
        "type": str(kind),
        "numpyPixelType": pixel_type,
        "pixelType": "real",
    }


def _info(result: Result, entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "headers": {
            "calculation_time": round(result.calculation_time_s, 3),
            "options": result.document.as_json(),
            "log": [_log_row(entry) for entry in result.log],
        },
        "data": entries,
        "info": {
            "convention": CONVENTION,
            "warnings": list(result.warnings),
            "methods": list(result.methods),
            "protocol": asdict(result.protocol),
            "noise": _noise_row(result.noise) if result.noise else None,
        },
    }


def _noise_row(noise: NoiseModel) -> dict[str, Any]:
    return {
        "origin": noise.origin,
        "n_samples": noise.n_samples,
        "dc_fraction": noise.dc_fraction,
        "bandwidth": asdict(noise.bandwidth) if noise.bandwidth else None,
        "sigma": noise.sigma.tolist(),
        "scale_factors": [asdict(step) for step in noise.chain.steps],
        "scale_power": noise.chain.power,
    }


def _manifest(result: Result, provenance: Provenance) -> dict[str, Any]:
    return {
        "schema": 1,
        "task": result.document.as_json(),
        "inputs": [asdict(of_input) for of_input in result.inputs],
        "seed": result.seed,
        "noise_domain": result.noise_domain,
        "scale_factors": [asdict(step) for step in result.noise.chain.steps] if result.noise else [],
        "repeat_with": "mroptimum run task.json --signal FILE --noise FILE -o OUT",
        **_made(provenance),
    }


def _made(provenance: Provenance) -> dict[str, Any]:
    return {
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "software": {"name": "mroptimum", "version": mroptimum.__version__},
        "libraries": {name: metadata.version(name) for name in LIBRARIES},
        "python": platform.python_version(),
        "platform": {"system": sys.platform, "machine": platform.machine()},
        "computing_unit": asdict(provenance),
    }


def _seal(folder: Path, manifest: dict[str, Any]) -> Path:
    """Hash every file, write the manifest, and pack all of it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    manifest["outputs"] = [
        {
            "path": path.relative_to(folder).as_posix(),
            "size_bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in files
    ]
    path = folder / MANIFEST
    _write_json(path, manifest)
    with zipfile.ZipFile(folder / ARCHIVE, "w", compression=zipfile.ZIP_DEFLATED) as archive:
        for member in (*files, path):
            entry = zipfile.ZipInfo(member.relative_to(folder).as_posix(), date_time=_ZIP_DATE)
            entry.external_attr = 0o644 << 16
            stored = member.suffix in {".gz", ".npz"}
            entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            archive.writestr(entry, member.read_bytes())
    return path


def _log_row(entry: LogEntry) -> dict[str, str]:
    return {"when": entry.at.isoformat(timespec="milliseconds"), "type": entry.level, "what": entry.message}


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
