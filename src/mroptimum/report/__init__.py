"""A result as one self-contained page: what a person would rather see than read."""
