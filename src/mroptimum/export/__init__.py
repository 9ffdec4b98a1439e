"""Results out: one writer per format, the result package, and the manifest that proves what it holds."""
