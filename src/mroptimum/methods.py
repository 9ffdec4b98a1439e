"""The sentences for a paper's methods section: what was done to get a result, with sources."""

from __future__ import annotations

from mroptimum.convention import CONVENTION
from mroptimum.noise import NoiseModel
from mroptimum.one_slice import SliceMaps
from mroptimum.task import Method, ReconstructionName, TaskDocument

_RECONSTRUCTIONS = {
    ReconstructionName.RSS: (
        "Whitened coil images were combined by the root of the sum of their squares, SNR = sqrt(2 p^H Psi^-1 p) "
        "(Kellman & McVeigh 2005, doi:10.1002/mrm.20713, erratum 2007;58:211). Noise raises the SNR of such a "
        "magnitude by about (2 n - 1) / (2 SNR) for n coils (Constantinides 1997, doi:10.1002/mrm.1910380524); where "
        "that matters, it differs by definition from one measured with replicas."
    ),
    ReconstructionName.B1: (
        "Coil images were combined with B1 weights, SNR = sqrt(2) |s^H Psi^-1 p| / sqrt(s^H Psi^-1 s) "
        "(Roemer 1990, doi:10.1002/mrm.1910160203; Kellman & McVeigh 2005, doi:10.1002/mrm.20713)."
    ),
    ReconstructionName.SENSE: (
        "Images were unfolded by SENSE, A = S^H Psi^-1 S, SNR = sqrt(2) |m| / sqrt(R [A^-1]), "
        "g = sqrt([A^-1]_rr A_rr) "
        "(Pruessmann 1999, doi:10.1002/(SICI)1522-2594(199911)42:5<952::AID-MRM16>3.0.CO;2-S)."
    ),
    ReconstructionName.GRAPPA: (
        "Missing lines were filled by GRAPPA (Griswold 2002, doi:10.1002/mrm.10171) with a kernel of {kernel}, fitted "
        "to {equations} equations with a regularisation of {regularisation:g} tr/n, and coil images combined by the "
        "root of the sum of their squares. Noise was propagated through the same kernel and the combination weights "
        "a/|a| (Breuer 2009, doi:10.1002/mrm.22066): variance = |u|^2 / R, g = |u| / R. SNR depends on kernel and "
        "regularisation. Calibration lines made the kernel and were not put back."
    ),
}
_GRAPPA_KEEPING_ACS = (
    "Missing lines were filled by GRAPPA (Griswold 2002, doi:10.1002/mrm.10171) with a kernel of {kernel}, fitted to "
    "{equations} equations with a regularisation of {regularisation:g} tr/n; the calibration lines themselves were put "
    "back, and coil images combined by the root of the sum of their squares. SNR depends on kernel and regularisation; "
    "there is no g-factor."
)
_METHODS = {
    Method.AC: "The noise was propagated through the reconstruction analytically; no replicas were drawn.",
    Method.MR: (
        "Signal and noise are the mean and the standard deviation of the real repetitions, complex where the "
        "reconstruction is linear; SNR was divided by c(nu) = sqrt(nu/2) Gamma((nu-1)/2) / Gamma(nu/2) to be unbiased."
    ),
    Method.PMR: (
        "Noise of the measured covariance was added to the data {n} times ({domain} domain, seed {seed}) and the "
        "standard deviation taken over the replicas (Robson 2008, doi:10.1002/mrm.21728), complex where the "
        "reconstruction is linear; SNR was divided by c(nu) = sqrt(nu/2) Gamma((nu-1)/2) / Gamma(nu/2) to be unbiased."
    ),
    Method.CR: (
        "Noise of the measured covariance was added to the data {n} times (seed {seed}); the standard deviation was "
        "taken over boxes of {box} x {box} voxels and averaged over the replicas in power (Wiens 2011, "
        "doi:10.1002/mrm.22893)."
    ),
}


_PARTITIONS = "The partitions of the 3D scan were transformed to slices by a unitary FFT."
_BOTH_DIRECTIONS = (
    "Both phase-encoding directions of the 3D scan, accelerated by {} x {} (lines x partitions), were unfolded "
    "together, for each place along the readout (Weiger 2002, doi:10.1007/BF02668182)."
)


def methods_text(
    document: TaskDocument,
    noise: NoiseModel | None,
    one: SliceMaps | None,
    *,
    is_3d: bool = False,
    acceleration: tuple[int, int] = (1, 1),
) -> tuple[str, ...]:
    """Return what was done, sentence by sentence; `one` is any slice of the result, None if there was no SNR.

    `acceleration` is (y, z).
    """
    task = document.task
    name = task.options.reconstructor.name
    if one is None:
        return (
            "Coil images were combined by the root of the sum of their squares without whitening; no SNR was made.",
        )
    sentences = [CONVENTION]
    if noise is not None:
        sentences.append(
            f"The noise covariance was computed from {noise.n_samples} complex samples per coil ({noise.origin}) and "
            f"scaled to the image by {noise.chain.power:.6g} in power, the product of the factors listed."
        )
    if is_3d:
        sentences.append(_PARTITIONS if acceleration[1] == 1 else _BOTH_DIRECTIONS.format(*acceleration))
    kernel = one.kernel
    sentences.append(
        (_GRAPPA_KEEPING_ACS if task.options.reconstructor.options.keep_acs else _RECONSTRUCTIONS[name]).format(
            kernel=f"{kernel.size[0]} samples x {kernel.size[1]} lines",
            equations=kernel.n_equations,
            regularisation=kernel.regularisation,
        )
        if kernel
        else _RECONSTRUCTIONS[name]
    )
    if name in {ReconstructionName.B1, ReconstructionName.SENSE}:
        sentences.append(f"Coil maps: {one.coil_map_method}.")
    if task.options.reconstructor.options.correction.use_correction:
        sentences.append("SNR was divided by the sine of the measured flip angle.")
    sentences.append(
        _METHODS[task.name].format(
            n=task.options.replicas,
            seed=task.options.seed,
            domain=one.noise_domain,
            box=2 * (task.options.box_size or 0) + 1,
        )
    )
    return tuple(sentences)
