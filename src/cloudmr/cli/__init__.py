"""The command line `cloudmr`: a file of commands per noun, text for people and `--json` for programs."""

from cloudmr.cli.app import main

__all__ = ["main"]
