"""`python -m mroptimum.cli` is `mroptimum`."""

from mroptimum.cli.app import main

main()
