from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mroptimum.errors import WrongKindOfFile
from mroptimum.phantom import Phantom, simulate, write_npz
from mroptimum.rawdata import read


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
