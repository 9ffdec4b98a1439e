"""The command line `mroptimum`: the science alone, on this machine, without a network.

Text is for people, `--json` for programs: then standard output holds one JSON document and nothing else, and progress
goes to standard error as always.
"""

from mroptimum.cli.app import app, main
from mroptimum.cli.exit_codes import ExitCode

__all__ = ["ExitCode", "app", "main"]
