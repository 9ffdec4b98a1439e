"""The worker: runs one job inside a computing unit, on this machine, in a container or in a function.

`job.py` is the way of a job, the same everywhere; `process.py` is where it starts on this machine.
"""
