"""Headers that identify nobody: what would be cleaned in a file, and the file cleaned."""
