"""The maps of a result, put together from slices, with their names, numbers and units."""

from __future__ import annotations

import numpy as np

from mroptimum import fourier
from mroptimum.coils import root_sum_of_squares
from mroptimum.convention import Complex
from mroptimum.one_slice import SliceMaps, slice_kspace
from mroptimum.rawdata.acquisition import Acquisition
from mroptimum.result import Map, MapId, MapKind
from mroptimum.task import ReconstructionName, TaskDocument


def image_alone(acquisition: Acquisition) -> Map:
    """Return the RSS image without whitening: all that can be had without noise."""
    images = [
        root_sum_of_squares(fourier.to_image(slice_kspace(acquisition, acquisition.kspace[:, 0, index].mean(axis=0))))
        for index in range(acquisition.n_slices)
    ]
    return Map(
        id=MapId.IMAGE,
        name="Image",
        kind=MapKind.OUTPUT,
        unit="a.u.",
        data=np.stack(images).astype(np.float32),
        description="Root of the sum of squares of the coil images, not whitened. Not an SNR.",
    )


def all_maps(document: TaskDocument, slices: list[SliceMaps]) -> list[Map]:
    """Return every map the task asked for, slices stacked in their order."""
    options = document.task.options.reconstructor.options
    maps = [
        Map(
            id=MapId.SNR,
            name="SNR",
            kind=MapKind.OUTPUT,
            unit="1",
            data=np.stack([s.snr for s in slices]),
            description="Signal over the standard deviation of one real component of the noise.",
        )
    ]
    g_factors = [s.g_factor for s in slices if s.g_factor is not None]
    if g_factors and options.gfactor and document.output.gfactor:
        g = np.stack(g_factors)
        inverse = np.zeros_like(g)
        np.divide(1.0, g, out=inverse, where=g > 0)
        is_grappa = document.task.options.reconstructor.name is ReconstructionName.GRAPPA
        description = f"Noise amplification by {'filling lines' if is_grappa else 'unfolding'}, beyond sqrt(R)"
        maps += [
            Map(
                id=MapId.GRAPPA_G if is_grappa else MapId.SENSE_G,
                name="g Factor",
                kind=MapKind.OUTPUT,
                unit="1",
                data=g,
                description=f"{description} for the shorter scan.",
            ),
            Map(
                id=MapId.GRAPPA_INVERSE_G if is_grappa else MapId.SENSE_INVERSE_G,
                name="Inverse g Factor",
                kind=MapKind.OUTPUT,
                unit="1",
                data=inverse,
                description=f"{description}, inverted: the part of the SNR that is kept.",
            ),
        ]
    errors = [s.standard_error for s in slices if s.standard_error is not None]
    if errors:
        maps.append(
            Map(
                id=MapId.STANDARD_ERROR,
                name="SNR Standard Error",
                kind=MapKind.ACCESSORY,
                unit="1",
                data=np.stack(errors),
                description="Random error of the SNR map itself, SNR / sqrt(2 nu) for nu degrees of freedom.",
            )
        )
    maps += [
        Map(
            id=MapId.NOISE_SD,
            name="Noise SD",
            kind=MapKind.ACCESSORY,
            unit="coil noise sd",
            data=np.stack([s.noise_sd for s in slices]),
            description="Standard deviation of the complex noise of the image; SNR = sqrt(2) Image / Noise SD.",
        ),
        Map(
            id=MapId.IMAGE,
            name="Image",
            kind=MapKind.ACCESSORY,
            unit="coil noise sd",
            data=np.stack([s.image for s in slices]),
            description="Magnitude of the reconstructed image, in multiples of the complex noise sd of whitened coils.",
        ),
        Map(
            id=MapId.MASK,
            name="Mask",
            kind=MapKind.MASK,
            unit="1",
            data=np.stack([s.mask for s in slices]).astype(np.uint8),
            description="1 where a voxel counts as object.",
        ),
    ]
    if document.output.coilsensitivity:
        maps += _sensitivity_maps(np.stack([s.coil_maps.maps for s in slices if s.coil_maps is not None]))
    return maps


def _sensitivity_maps(maps: Complex) -> list[Map]:
    """Return magnitude and phase of maps (slice, coil, y, x)."""
    found = []
    for coil in range(maps.shape[1]):
        known_readers_end = 90
        magnitude_id = (
            MapId.COIL_SENSITIVITY if coil < known_readers_end else MapId.COIL_SENSITIVITY_FROM_COIL_90
        ) + coil
        found += [
            Map(
                id=magnitude_id,
                name=f"Coil Sensitivity {coil + 1}",
                kind=MapKind.ACCESSORY,
                unit="1",
                data=np.abs(maps[:, coil]).astype(np.float32),
                description="Magnitude of the whitened, normalised coil map.",
            ),
            Map(
                id=MapId.COIL_SENSITIVITY_PHASE + coil,
                name=f"Coil Sensitivity {coil + 1} Phase",
                kind=MapKind.ACCESSORY,
                unit="rad",
                data=np.angle(maps[:, coil]).astype(np.float32),
                description="Phase of the whitened, normalised coil map.",
            ),
        ]
    return found
