"""What we measure ourselves against, side by side, in one run, as ratios. `make bench` runs all of it."""
