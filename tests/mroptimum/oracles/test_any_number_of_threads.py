"""The same bytes whatever the number of threads, for every method and reconstruction; a batch is a constant."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from four_reconstructions import NAMES, UNFOLDING
from mroptimum import threads
from mroptimum.flags import Flags
from mroptimum.phantom import Phantom, simulate, write_npz
from mroptimum.run import run
from mroptimum.task import NoiseDomain, TaskDocument
from tasks import local

PHANTOM = Phantom(n_coils=6, n_x=66, n_y=64, n_slices=2, n_repetitions=6, sigma=0.005, n_noise_readouts=40)
METHODS = {
    "ac": Flags(),
    "mr": Flags(method="mr"),
    "pmr": Flags(method="pmr", replicas=53),
    "pmr in k-space": Flags(method="pmr", replicas=13),
    "cr": Flags(method="cr", replicas=3, box_size=2),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("threads")
    paths = {"full": folder / "full.npz", "accelerated": folder / "accelerated.npz"}
    write_npz(paths["full"], simulate(PHANTOM))
    write_npz(paths["accelerated"], simulate(replace(PHANTOM, acceleration=2, n_calibration_lines=24)))
    return paths


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", NAMES)
def test_every_map_has_the_same_bytes(
    name: str, method: str, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = files["accelerated" if name in UNFOLDING else "full"]
    document = replace(METHODS[method], reconstruction=name).document(local(path), None)
    if method == "pmr in k-space":
        values = document.as_json()
        values["task"]["options"]["noiseDomain"] = NoiseDomain.KSPACE
        document = TaskDocument.parse(values)
    maps = []
    for n_threads in (1, 2, 5):
        with ThreadPoolExecutor(n_threads) as pool:
            monkeypatch.setattr(threads, "WORKERS", n_threads)
            monkeypatch.setattr(threads, "_pool", lambda pool=pool: pool)
            result = run(document, locate=lambda _: path)
        maps.append({of_map.name: of_map.data.tobytes() for of_map in result.maps})
    assert "SNR" in maps[0]
    assert maps[0] == maps[1] == maps[2]
