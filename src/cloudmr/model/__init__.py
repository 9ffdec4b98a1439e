"""The nouns of the platform and their rules: pure values and pure decisions, no input or output."""
