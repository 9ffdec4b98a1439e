"""What the Brain does: one use case a file, each a function of the `Brain`, who asks, and what for."""
