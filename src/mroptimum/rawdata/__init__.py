"""Raw files in, `Acquisition` out. One module a format; people's names stop here."""

from mroptimum.rawdata.acquisition import (
    Acquisition,
    Calibration,
    FileFormat,
    Inspection,
    NoiseScan,
    SliceGeometry,
)
from mroptimum.rawdata.reading import inspect, read, read_noise

__all__ = [
    "Acquisition",
    "Calibration",
    "FileFormat",
    "Inspection",
    "NoiseScan",
    "SliceGeometry",
    "inspect",
    "read",
    "read_noise",
]
