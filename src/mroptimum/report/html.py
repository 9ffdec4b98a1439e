"""The report: one HTML file without scripts and without a link to anything outside itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import mroptimum
from mroptimum.export.nifti import stacks, volume
from mroptimum.report.noise_figure import matrix_figure, odd_coils, sigma_figure
from mroptimum.report.picture import Picture, Window, gradient, montage, window
from mroptimum.result import Map, MapId, MapKind, Result

_COLORMAPS = {
    MapId.SNR: "viridis",
    MapId.SENSE_G: "magma",
    MapId.SENSE_INVERSE_G: "magma",
    MapId.GRAPPA_G: "magma",
    MapId.GRAPPA_INVERSE_G: "magma",
    MapId.IMAGE: "gray",
}
_SHOWN = (
    MapId.SNR,
    MapId.SENSE_G,
    MapId.SENSE_INVERSE_G,
    MapId.GRAPPA_G,
    MapId.GRAPPA_INVERSE_G,
    MapId.IMAGE,
    MapId.NOISE_SD,
    MapId.STANDARD_ERROR,
)


@dataclass(frozen=True, kw_only=True)
class _Shown:
    """A map ready to be shown: its pictures (one a volume), its colour scale, and its statistics inside the mask."""

    map: Map
    pictures: tuple[Picture, ...]
    window: Window
    gradient: str
    median: float
    mean: float
    maximum: float
    n_voxels: int


def write_report(result: Result, path: Path) -> None:
    """Write `result` as one self-contained HTML file."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("mroptimum.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    noise = result.noise
    names = result.protocol.coil_names or tuple(f"coil {c + 1}" for c in range(result.protocol.n_coils))
    page = environment.get_template("report.html").render(
        result=result,
        task=result.document.task,
        maps=[_shown(of_map, result) for of_map in result.maps if of_map.id in _SHOWN],
        noise=noise,
        names=names,
        correlation=matrix_figure(noise, names) if noise else None,
        sigma=sigma_figure(noise, names) if noise else None,
        odd_coils=odd_coils(noise, names) if noise else (),
        largest_correlation=_largest_correlation(np.abs(noise.correlation)) if noise else 0.0,
        correlation_gradient=gradient("viridis"),
        task_json=json.dumps(result.document.as_json(), indent=1),
        version=mroptimum.__version__,
    )
    path.write_text(page, encoding="utf-8")


def _shown(of_map: Map, result: Result) -> _Shown:
    colormap = _COLORMAPS.get(of_map.id, "viridis")
    mask = next((m.data for m in result.maps if m.kind is MapKind.MASK), np.ones(of_map.data.shape)) > 0
    inside = of_map.data[mask & (of_map.data != 0)]
    is_g = of_map.id in {MapId.SENSE_G, MapId.GRAPPA_G}
    shown = window(of_map.data, low=1.0 if is_g else 0.0)
    found = stacks(result.geometry, of_map.data.shape[0], (of_map.data.shape[1], of_map.data.shape[2]))
    return _Shown(
        map=of_map,
        pictures=tuple(montage(volume(of_map.data, s), bool(result.geometry), shown, colormap) for s in found),
        window=shown,
        gradient=gradient(colormap),
        median=float(np.median(inside)) if inside.size else 0.0,
        mean=float(inside.mean()) if inside.size else 0.0,
        maximum=float(inside.max()) if inside.size else 0.0,
        n_voxels=int(inside.size),
    )


def _largest_correlation(magnitude: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    off_diagonal = magnitude - np.diag(np.diagonal(magnitude))
    return float(off_diagonal.max()) if len(magnitude) > 1 else 0.0
