"""MR Optimum: signal-to-noise, g-factor and noise maps from multi-coil MR raw data."""

__version__ = "0.1.0"
