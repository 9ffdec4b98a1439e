"""From what a task asks to the maps and the mask of one slice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mroptimum.coils.bodycoil import body_coil_maps, reference_image
from mroptimum.coils.calibration import CalibrationRegion
from mroptimum.coils.espirit import CROP, EXTENT, Eigenmaps, espirit
from mroptimum.coils.inati import inati
from mroptimum.coils.masks import BoolMask, object_mask, reference_mask
from mroptimum.coils.sensitivities import CoilMaps, coil_maps
from mroptimum.coils.sources import SliceSources
from mroptimum.coils.walsh import walsh
from mroptimum.convention import Complex, Real
from mroptimum.errors import ReconstructionError
from mroptimum.task import CoilMapMethod, Mask, MaskMethod, SensitivityMapOptions

NO_SOURCES = SliceSources()


def maps_for(
    options: SensitivityMapOptions,
    region: CalibrationRegion | None,
    sources: SliceSources = NO_SOURCES,
    mask: BoolMask | None = None,
) -> CoilMaps:
    """Return the coil maps of one slice, inside the mask that goes with them.

    `region` is the slice's calibration data; None for an accelerated scan without any, which is enough for maps from a
    file with no mask or one by upload. A `mask` takes the place of the one that the options ask for. Raises
    `ReconstructionError` where something needed is missing or does not fit.
    """
    made = _made(options, region, sources)
    inside = _mask(options.mask, made, region, sources) if mask is None else mask
    return coil_maps(made.sensitivities, inside, made.words)


@dataclass(frozen=True, kw_only=True)
class _Made:
    """Sensitivities up to a factor per voxel, how they were made, and what a mask may be taken from."""

    sensitivities: Complex
    words: str
    eigenvalue: Real | None = None
    reference: Real | None = None


def _made(options: SensitivityMapOptions, region: CalibrationRegion | None, sources: SliceSources) -> _Made:
    if sources.maps is not None:
        return _Made(sensitivities=sources.maps, words="from a file, whitened by the noise of this scan")
    region = _present(region)
    extent = region.in_words
    match options.sensitivity_map_method:
        case CoilMapMethod.INNER | CoilMapMethod.INNER_ACL:
            return _Made(sensitivities=region.image, words=f"Hann-apodised, {extent}")
        case CoilMapMethod.ESPIRIT:
            found = _espirit(region, options.mask)
            words = (
                f"ESPIRiT (Uecker 2014, doi:10.1002/mrm.24751), kernel {found.kernel}, "
                f"{found.n_components} of {found.n_singular_values} singular vectors"
            )
            return _Made(sensitivities=found.maps, words=words, eigenvalue=found.eigenvalue)
        case CoilMapMethod.WALSH:
            source = "Walsh 2000, doi:10.1002/(SICI)1522-2594(200005)43:5<682::AID-MRM10>3.0.CO;2-G"
            return _Made(sensitivities=walsh(region), words=f"adaptive ({source}), Hann-apodised, {extent}")
        case CoilMapMethod.INATI:
            source = "Inati, Hansen & Kellman, Proc. ISMRM 2014, p. 4407"
            return _Made(sensitivities=inati(region), words=f"iterative adaptive ({source}), Hann-apodised, {extent}")
        case CoilMapMethod.BODYCOIL:
            if sources.body_coil is None:
                raise ReconstructionError(
                    "Coil maps by bodycoil need the scan of a body coil, and the task names none.",
                    "Name its raw file as sensitivityMapSource, with loadSensitivity, or choose another method.",
                )
            reference = reference_image(sources.body_coil, region.widths)
            return _Made(
                sensitivities=body_coil_maps(region, reference),
                words=f"ratio to the image of a body coil, Hann-apodised, {extent}",
                reference=np.abs(reference),
            )


def _mask(mask: Mask, made: _Made, region: CalibrationRegion | None, sources: SliceSources) -> BoolMask:
    match mask.method:
        case MaskMethod.NO:
            return np.ones(made.sensitivities.shape[1:], dtype=np.bool_)
        case MaskMethod.UPLOAD:
            if sources.mask is None:
                raise ReconstructionError("A mask by upload needs a file.", "Name the mask's file in the task.")
            return sources.mask
        case MaskMethod.ESPIRIT:
            eigenvalue = made.eigenvalue
            if eigenvalue is None:
                eigenvalue = _espirit(_present(region), mask).eigenvalue
            return np.asarray(eigenvalue >= (mask.c or CROP))
        case MaskMethod.REFERENCE if made.reference is not None:
            return reference_mask(made.reference)
        case _:
            return object_mask(_present(region).image, mask)


def _espirit(region: CalibrationRegion, mask: Mask) -> Eigenmaps:
    """Return ESPIRiT's maps with the parameters of a mask by espirit, which other masks leave at their defaults."""
    return espirit(region, kernel=mask.k, extent=mask.r or EXTENT, threshold=mask.t)


def _present(region: CalibrationRegion | None) -> CalibrationRegion:
    if region is None:
        raise ReconstructionError(
            "The scan holds no calibration lines to make coil maps or a mask from.",
            "Give a scan with calibration (ACS) lines, or coil maps from a file without a mask or with one by upload.",
        )
    return region
