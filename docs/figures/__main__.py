"""Draw every figure of the documents anew: `make figures`, or `python docs/figures [NAME …]` for some."""

from __future__ import annotations

import sys
from pathlib import Path

import few_samples
import g_maps
import low_snr
import methods
import number_of_replicas
import slabs
import tutorial
from style import house_style

FIGURES = {
    module.__name__: module.draw
    for module in (methods, g_maps, number_of_replicas, low_snr, few_samples, slabs, tutorial)
}
IMAGES = Path(__file__).parents[1] / "images"

if __name__ == "__main__":
    for name in sys.argv[1:] or FIGURES:
        with house_style():
            FIGURES[name](IMAGES)
        print(name)
