"""Synthetic acquisitions whose signal-to-noise ratio is known in closed form.

The truth stands alone: nothing here uses the transforms, noise handling or reconstructions that it is there to judge.
"""

from mroptimum.phantom.collection import DEMO, Written, write_demo, write_set
from mroptimum.phantom.description import LOAF, Phantom, Region
from mroptimum.phantom.mrd_file import write_mrd
from mroptimum.phantom.npz_file import write_npz
from mroptimum.phantom.simulation import Scan, simulate
from mroptimum.phantom.truth import Truth, closed_form
from mroptimum.phantom.twix_file import vendor_noise_dwell_time_s, write_twix_vb, write_twix_ve

__all__ = [
    "DEMO",
    "LOAF",
    "Phantom",
    "Region",
    "Scan",
    "Truth",
    "Written",
    "closed_form",
    "simulate",
    "vendor_noise_dwell_time_s",
    "write_demo",
    "write_mrd",
    "write_npz",
    "write_set",
    "write_twix_vb",
    "write_twix_ve",
]
