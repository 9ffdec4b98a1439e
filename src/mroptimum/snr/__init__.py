"""Methods that measure SNR. Each takes a reconstruction and data; none knows which reconstruction it is."""
