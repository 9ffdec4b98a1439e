"""The report: one HTML file without scripts and without a link to anything outside itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mroptimum.package.errors import GET_IT_AGAIN, DamagedPackage
from mroptimum.report.content import MapContent, ReportContent, content_of_result
from mroptimum.report.noise_figure import matrix_figure, odd_coils, sigma_figure
from mroptimum.report.pages import template
from mroptimum.report.picture import Picture, Window, colormap_of, gradient, is_g_factor, montage, window
from mroptimum.result import Result
from mroptimum.roi import RegionStatistics, statistics


@dataclass(frozen=True, kw_only=True)
class _Shown:
    """A map ready to be shown: its pictures (one a volume), its colour scale, and its statistics inside the mask."""

    map: MapContent
    pictures: tuple[Picture, ...]
    window: Window
    gradient: str
    inside: RegionStatistics | None


def write_report(result: Result, path: Path) -> None:
    """Write `result` as one self-contained HTML file."""
    path.write_text(report_page(content_of_result(result)), encoding="utf-8")


def report_page(content: ReportContent) -> str:
    """Return the report as one self-contained HTML page."""
    noise = content.noise
    n_coils = content.protocol.n_coils
    names = content.protocol.coil_names or tuple(f"coil {c + 1}" for c in range(n_coils))
    if noise is not None and len(names) != n_coils:
        raise DamagedPackage(f"There are {len(names)} names for {n_coils} coils.", GET_IT_AGAIN)
    return template("report.html").render(
        content=content,
        task=content.document.task,
        maps=[_shown(of_map, content) for of_map in content.maps],
        noise=noise,
        names=names,
        correlation=matrix_figure(noise, names) if noise else None,
        sigma=sigma_figure(noise, names) if noise else None,
        odd_coils=odd_coils(noise, names) if noise else (),
        largest_correlation=_largest_correlation(np.abs(noise.correlation)) if noise else 0.0,
        correlation_gradient=gradient("viridis"),
        task_json=json.dumps(content.document.as_json(), indent=1),
    )


def _shown(of_map: MapContent, content: ReportContent) -> _Shown:
    colormap = colormap_of(of_map.id)
    masks = content.mask or of_map.volumes
    if [m.data.shape for m in masks] != [v.data.shape for v in of_map.volumes]:
        raise DamagedPackage(f"The mask has another shape than the map {of_map.name}.", GET_IT_AGAIN)
    # 0 is what our maps hold where nothing was measured; without a mask that alone marks the object.
    inside = np.concatenate([v.data[(m.data != 0) & (v.data != 0)] for v, m in zip(of_map.volumes, masks, strict=True)])
    shown = window(of_map.volumes, low=1.0 if is_g_factor(of_map.id) else 0.0)
    return _Shown(
        map=of_map,
        pictures=tuple(montage(v, shown, colormap) for v in of_map.volumes),
        window=shown,
        gradient=gradient(colormap),
        inside=statistics(inside, voxel_volume_mm3=None) if np.isfinite(inside).any() else None,
    )


def _largest_correlation(magnitude: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    off_diagonal = magnitude - np.diag(np.diagonal(magnitude))
    return float(off_diagonal.max()) if len(magnitude) > 1 else 0.0
