"""Methods that measure SNR. Each takes a reconstruction and data; none knows which reconstruction it is."""

from __future__ import annotations

from dataclasses import dataclass

from mroptimum.convention import Complex, Real


@dataclass(frozen=True, kw_only=True)
class SnrMap:
    """What a method found for one slice: (y, x) each.

    ``image`` is the signal, ``noise_sd`` the sd of its complex noise (sqrt(2) times that of one real component), in the
    units of whitened coils. ``standard_error`` is that of the SNR map itself, None for a method without random error.
    """

    snr: Real
    image: Complex | Real
    noise_sd: Real
    standard_error: Real | None = None
