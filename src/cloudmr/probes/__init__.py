"""Looking at a computing unit without running a job on it: what works, what does not, and how to mend it."""
