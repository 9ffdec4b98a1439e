"""The page of a comparison: each map of A and of B in one window, and their ratio around 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from mroptimum.comparison.differences import STATED_ERROR_IN_WORDS
from mroptimum.comparison.packages import Comparison, Pair
from mroptimum.export.nifti import Volume
from mroptimum.package import ResultPackage
from mroptimum.report.pages import template
from mroptimum.report.picture import Picture, Window, colormap_of, gradient, is_g_factor, montage, window
from mroptimum.result import MapId

RATIO_COLORMAP = "RdBu_r"


@dataclass(frozen=True, kw_only=True)
class PackageFacts:
    """What says which package is meant, without a name that could be a person's."""

    method: str
    reconstruction: str
    signal_sha256: str | None
    software: str
    created_at: datetime
    manifest_sha256: str
    states_errors: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Compared:
    """A pair of maps and their ratio, a volume for each stack."""

    pair: Pair
    ratios: tuple[Volume, ...]


@dataclass(frozen=True, kw_only=True)
class _Shown:
    """A pair of maps ready to be shown."""

    pair: Pair
    pictures_a: tuple[Picture, ...]
    pictures_b: tuple[Picture, ...]
    pictures_ratio: tuple[Picture, ...]
    window: Window
    gradient: str
    ratio_window: Window
    is_same: bool


def facts_of(package: ResultPackage) -> PackageFacts:
    """Return what identifies a package. Raises `DamagedPackage`."""
    task = package.document.task
    return PackageFacts(
        method=task.name.upper(),
        reconstruction=task.options.reconstructor.name.upper(),
        signal_sha256=next((i.sha256 for i in package.manifest.inputs if i.role == "signal"), None),
        software=f"{package.manifest.software.name} {package.manifest.software.version}",
        created_at=package.manifest.created_at,
        manifest_sha256=package.manifest_sha256,
        states_errors=any(stored.id == MapId.STANDARD_ERROR for stored in package.maps),
    )


def comparison_page(comparison: Comparison, compared: Sequence[Compared], a: ResultPackage, b: ResultPackage) -> str:
    """Return the comparison as one self-contained HTML page."""
    facts_a, facts_b = facts_of(a), facts_of(b)
    return template("comparison.html").render(
        a=facts_a,
        b=facts_b,
        same_signal=facts_a.signal_sha256 is not None and facts_a.signal_sha256 == facts_b.signal_sha256,
        comparison=comparison,
        maps=[_shown(one) for one in compared],
        ratio_gradient=gradient(RATIO_COLORMAP),
        stated_errors=STATED_ERROR_IN_WORDS,
    )


def _shown(one: Compared) -> _Shown:
    pair = one.pair
    common = window((*pair.volumes_a, *pair.volumes_b), low=1.0 if is_g_factor(pair.id) else 0.0)
    around_one = _ratio_window(one.ratios)
    colormap = colormap_of(pair.id)
    return _Shown(
        pair=pair,
        pictures_a=tuple(montage(v, common, colormap) for v in pair.volumes_a),
        pictures_b=tuple(montage(v, common, colormap) for v in pair.volumes_b),
        pictures_ratio=tuple(montage(_without_zeros(v), around_one, RATIO_COLORMAP) for v in one.ratios),
        window=common,
        gradient=gradient(colormap),
        ratio_window=around_one,
        is_same=all(
            np.array_equal(v.data, w.data, equal_nan=True) for v, w in zip(pair.volumes_a, pair.volumes_b, strict=True)
        ),
    )


def _ratio_window(ratios: Sequence[Volume]) -> Window:
    """Return a window around 1 that holds 99 % of the ratios, and never less than a tenth of a percent."""
    values = np.concatenate([v.data[v.data != 0] for v in ratios]).astype(np.float64)
    reach = float(np.percentile(np.abs(values - 1), 99)) if values.size else 0.0
    reach = max(reach, 1e-3)
    return Window(low=1 - reach, high=1 + reach)


def _without_zeros(volume: Volume) -> Volume:
    """Leave voxels without a ratio clear: 0 would be drawn as the far end of the scale."""
    return Volume(
        data=np.where(volume.data != 0, volume.data, np.nan),
        affine=volume.affine,
        slice_axis=volume.slice_axis,
        is_placed=volume.is_placed,
    )
