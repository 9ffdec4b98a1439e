"""The same bytes whatever the number of threads, for every method and reconstruction; a batch is a constant."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from mroptimum import threads
from mroptimum.flags import Flags
from mroptimum.phantom import Phantom, simulate, write_twix_ve
from mroptimum.run import run
from mroptimum.task import NoiseDomain, TaskDocument
from tasks import local

PHANTOM = Phantom(n_coils=6, n_x=42, n_y=64, n_slices=2, n_repetitions=5, sigma=0.005, n_noise_readouts=40)
METHODS = {
    "ac": Flags(),
    "mr": Flags(method="mr"),
    "pmr": Flags(method="pmr", replicas=53),
    "pmr in k-space": Flags(method="pmr", replicas=13),
    "cr": Flags(method="cr", replicas=3, box_size=2),
}


ACCELERATED = replace(PHANTOM, acceleration=2, n_calibration_lines=24)
SCANS = {
    "full": PHANTOM,
    "accelerated": ACCELERATED,
    "of odd size": replace(ACCELERATED, n_y=65, n_x=21, n_slices=1),
    "slab": replace(ACCELERATED, is_3d=True, n_x=12, n_slices=12, partition_acceleration=2, slice_thickness_mm=10.0),
}
RECONSTRUCTIONS = {
    "rss": ("full", Flags(reconstruction="rss")),
    "b1": ("full", Flags(reconstruction="b1")),
    "sense": ("accelerated", Flags(reconstruction="sense")),
    "sense, columns": ("of odd size", Flags(reconstruction="sense", coil_maps="espirit")),
    "sense, slab": ("slab", Flags(reconstruction="sense")),
    "grappa": ("accelerated", Flags(reconstruction="grappa")),
    "grappa, comb that does not close": ("of odd size", Flags(reconstruction="grappa")),
    "grappa, calibration lines kept": ("accelerated", Flags(reconstruction="grappa", keep_acs=True)),
}
WITHOUT_AC = "grappa, calibration lines kept"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("threads")
    paths = {name: folder / f"{name}.dat" for name in SCANS}
    for name, path in paths.items():
        write_twix_ve(path, simulate(SCANS[name]))
    return paths


@pytest.mark.parametrize(
    ("name", "method"), [(n, m) for n in RECONSTRUCTIONS for m in METHODS if (n, m) != (WITHOUT_AC, "ac")]
)
def test_every_map_has_the_same_bytes(
    name: str, method: str, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    scan, reconstruction = RECONSTRUCTIONS[name]
    of_method = METHODS[method]
    flags = replace(reconstruction, method=of_method.method, replicas=of_method.replicas, box_size=of_method.box_size)
    document = flags.document(local(files[scan]), None)
    if method == "pmr in k-space":
        values = document.as_json()
        values["task"]["options"]["noiseDomain"] = NoiseDomain.KSPACE
        document = TaskDocument.parse(values)
    maps = []
    for n_threads in (1, 3):
        with ThreadPoolExecutor(n_threads) as pool:
            monkeypatch.setattr(threads, "WORKERS", n_threads)
            monkeypatch.setattr(threads, "_pool", lambda pool=pool: pool)
            result = run(document, locate=lambda reference: Path(reference.options.filename))
        maps.append({of_map.name: of_map.data.tobytes() for of_map in result.maps})
    assert "SNR" in maps[0]
    assert maps[0] == maps[1]
