"""Whatever happened to a file, reading it ends in an acquisition or in an explained refusal: nothing else."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io

from bart_pair import as_bart, write_pair, zip_pair
from mroptimum.errors import RawDataError
from mroptimum.phantom import Phantom, Scan, simulate, write_mrd, write_npz, write_twix_vb, write_twix_ve
from mroptimum.rawdata import inspect, read, read_noise
from mroptimum.rawdata.anonymise.cleaning import identifying_fields
from mroptimum.rawdata.limits import MAX_GROWTH

N_MUTATIONS = 60
FORMATS = ("twix-vb", "twix-ve", "ismrmrd", "npz", "mat-v6", "mat-v7", "mat-v7.3", "bart")


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    scan = simulate(
        Phantom(
            n_x=12, n_y=12, n_coils=2, n_slices=2, acceleration=2, n_calibration_lines=4, readout_oversampling=2,
            n_noise_readouts=16,
        )
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("originals")

    def save_mat(path: Path, scan: Scan, *, compressed: bool) -> None:
        arrays = {"S": scan.kspace[0, 0].transpose(3, 2, 0, 1), "N": scan.noise.transpose(2, 0, 1)}
        scipy.io.savemat(path, arrays, appendmat=False, do_compression=compressed)

    def save_hdf5(path: Path, scan: Scan) -> None:
        arrays = {"S": scan.kspace[0, 0].transpose(0, 1, 2, 3), "N": scan.noise.transpose(1, 0, 2)}
        with h5py.File(path, "w", userblock_size=512) as file:
            for name, array in arrays.items():
                pairs = np.empty(array.shape, [("real", "<f4"), ("imag", "<f4")])
                pairs["real"], pairs["imag"] = array.real, array.imag
                file[name] = pairs
        path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(512) + path.read_bytes()[512:])

    write_twix_vb(folder / "twix-vb", scan)
    write_twix_ve(folder / "twix-ve", scan)
    write_mrd(folder / "ismrmrd", scan)
    write_npz(folder / "npz", scan)
    save_mat(folder / "mat-v6", scan, compressed=False)
    save_mat(folder / "mat-v7", scan, compressed=True)
    save_hdf5(folder / "mat-v7.3", scan)
    zip_pair(folder / "bart", write_pair(folder / "ksp.cfl", as_bart(scan.kspace)))
    return {name: (folder / name).read_bytes() for name in FORMATS}


def mutated(content: bytes, generator: np.random.Generator) -> bytes:
    """Cut, flip a bit, write an absurd number, scatter bytes, damage the start, or take a piece out."""
    damaged = bytearray(content)
    n = len(damaged)
    match generator.integers(6):
        case 0:
            return bytes(damaged[: generator.integers(n)])
        case 1:
            damaged[generator.integers(n)] ^= 1 << int(generator.integers(8))
        case 2:
            number = int(generator.choice([0, 1, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]))
            start = int(generator.integers(n - 4))
            damaged[start : start + 4] = number.to_bytes(4, "little")
        case 3:
            for place in generator.integers(n, size=20):
                damaged[place] = int(generator.integers(256))
        case 4:
            damaged[generator.integers(min(n, 4096))] = int(generator.integers(256))
        case _:
            start = int(generator.integers(n))
            del damaged[start : start + int(generator.integers(1, 300))]
    return bytes(damaged)


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_files_are_read_or_refused(tmp_path: Path, originals: dict[str, bytes], name: str) -> None:
    generator = np.random.default_rng(FORMATS.index(name))
    path = tmp_path / "damaged"
    refusals: list[RawDataError] = []
    for _ in range(N_MUTATIONS):
        path.write_bytes(mutated(originals[name], generator))
        for reader in (read, read_noise, inspect, identifying_fields):
            try:
                reader(path)
            except RawDataError as refusal:
                refusals.append(refusal)
    assert len(refusals) > N_MUTATIONS / 2
    assert all(refusal.message and refusal.next_step for refusal in refusals)


@pytest.mark.parametrize("name", FORMATS)
def test_of_a_file_that_is_cut_nothing_is_made_up(tmp_path: Path, originals: dict[str, bytes], name: str) -> None:
    """Cut in its first structures byte by byte, then everywhere, and just before its end: refused, unless all of the
    signal is there (behind it are padding, or another array), and never filled up."""
    content = originals[name]
    n = len(content)
    cuts = {*range(1, 64), *range(64, n, max(1, n // 150)), *range(n - 16, n)}
    path = tmp_path / "cut"
    whole = read(_write(path, content)).kspace
    refused_at = []
    for cut in sorted(cuts):
        path.write_bytes(content[:cut])
        try:
            np.testing.assert_array_equal(read(path).kspace, whole)
            identifying_fields(path)
        except RawDataError:
            refused_at.append(cut)
    assert len(refused_at) > 0.5 * len(cuts)
    assert refused_at[:63] == list(range(1, 64))


@pytest.mark.parametrize("name", FORMATS)
def test_the_original_is_read(tmp_path: Path, originals: dict[str, bytes], name: str) -> None:
    path = tmp_path / "original"
    path.write_bytes(originals[name])
    assert read(path).n_slices == 2


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "bart"])
def test_the_original_noise_is_read(tmp_path: Path, originals: dict[str, bytes], name: str) -> None:
    path = tmp_path / "original"
    path.write_bytes(originals[name])
    assert read_noise(path).samples.shape == (16, 2, 24)


@pytest.mark.parametrize("name", FORMATS)
def test_memory_stays_in_proportion_to_the_file(tmp_path: Path, originals: dict[str, bytes], name: str) -> None:
    generator = np.random.default_rng(100 + FORMATS.index(name))
    path = tmp_path / "damaged"
    for reader in (read, identifying_fields):  # imports allocate, too
        reader(_write(path, originals[name]))
    tracemalloc.start()
    try:
        for _ in range(N_MUTATIONS // 3):
            _write(path, mutated(originals[name], generator))
            for reader in (read, identifying_fields):
                with suppress(RawDataError):
                    reader(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MAX_GROWTH * len(originals[name]) + 2**22


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
