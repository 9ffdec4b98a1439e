from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest

from dicom_files import image, save
from mroptimum.errors import WrongKindOfFile
from mroptimum.phantom import Phantom, simulate, write_npz
from mroptimum.rawdata import inspect, read


def test_readers_are_imported_when_a_file_needs_them() -> None:
    heavy = {"twixtools", "h5py", "scipy", "matplotlib", "ismrmrd"}
    code = f"import sys, mroptimum.rawdata; print(sorted({heavy!r} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"


@pytest.mark.parametrize("name", ["twix-vb", "twix-ve", "ismrmrd", "npz"])
def test_noise_in_the_same_file_satisfies_a_task_that_says_so(files: dict[str, Path], name: str) -> None:
    assert read(files[name], multiraid=True).noise is not None


def test_a_task_that_says_so_is_held_to_it(tmp_path: Path) -> None:
    write_npz(tmp_path / "file.npz", simulate(Phantom(n_x=16, n_y=16, n_coils=2, n_noise_readouts=0)))
    assert read(tmp_path / "file.npz").noise is None
    with pytest.raises(WrongKindOfFile, match="multiraid") as caught:
        read(tmp_path / "file.npz", multiraid=True)
    assert caught.value.next_step


@pytest.mark.parametrize("name", ["twix-vb", "twix-ve", "ismrmrd", "npz"])
def test_reading_twice_gives_the_same_and_leaves_the_file_as_it_is(files: dict[str, Path], name: str) -> None:
    before = files[name].read_bytes()
    np.testing.assert_array_equal(read(files[name]).kspace, read(files[name]).kspace)
    assert files[name].read_bytes() == before


def test_images_and_results_are_looked_into_as_well(tmp_path: Path, rng: np.random.Generator) -> None:
    pixels = rng.integers(0, 999, size=(8, 8)).astype(np.uint16)
    found = inspect(save(image(pixels, PatientName="Doe^Jane"), tmp_path / "a.dcm"))
    assert (found.file_format, found.kind) == ("dicom", "image")
    assert "PatientName" in found.identifying_fields
    nibabel.Nifti1Image(pixels, np.eye(4)).to_filename(tmp_path / "a.nii.gz")
    assert inspect(tmp_path / "a.nii.gz").file_format == "nifti-gz"
    with zipfile.ZipFile(tmp_path / "package.zip", "w") as archive:
        for name in ("info.json", "manifest.json"):
            archive.writestr(name, "{}")
    assert inspect(tmp_path / "package.zip").kind == "result"
