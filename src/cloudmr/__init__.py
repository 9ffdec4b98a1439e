"""CloudMR Brain: the platform that runs MR Optimum jobs on computing units."""
