"""`python -m cloudmr.cli` is `cloudmr`."""

from cloudmr.cli.app import main

main()
