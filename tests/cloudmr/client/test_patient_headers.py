"""What may name a person is blanked on the way, unless its owner sends it to a place of their own."""

from __future__ import annotations

import zipfile
from pathlib import Path

import httpx
import nibabel
import numpy as np
import pytest
import scipy.io

from bart_pair import write_pair
from cloudmr.client.brain import BrainClient
from cloudmr.client.errors import HeaderNamesPerson
from cloudmr.client.patient_fields import Destination, as_it_may_go
from cloudmr.model.units import Mode
from mroptimum.errors import RawDataError
from mroptimum.phantom import Phantom, simulate, write_twix_vb
from mroptimum.rawdata.anonymise.cleaning import anonymise
from mroptimum.rawdata.bart_files import open_bart

BLANK, NAME = b"xxxxxxxx", b"Doe^Jane"
HERE = Destination(is_this_machine=True, mode=None)
SHARED = Destination(is_this_machine=False, mode=Mode.MODE_1)
UNKNOWN = Destination(is_this_machine=False, mode=None)
OWN = Destination(is_this_machine=False, mode=Mode.MODE_2)


@pytest.fixture(scope="module")
def blank_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("raw") / "blank.dat"
    write_twix_vb(path, simulate(Phantom(n_x=16, n_y=16, n_coils=2, n_noise_readouts=4)))
    return path


@pytest.fixture(scope="module")
def named_file(blank_file: Path) -> Path:
    content = blank_file.read_bytes()
    assert BLANK in content
    path = blank_file.with_name("named.dat")
    path.write_bytes(content.replace(BLANK, NAME))
    return path


def sent(path: Path, destination: Destination, *, keep_headers: bool = False) -> bytes:
    """Return the bytes that would go, read in parts."""
    with as_it_may_go(path, path.name, destination, keep_headers=keep_headers) as source:
        n_parts = source.n_parts(1000)
        return b"".join(source.read(number * 1000, 1000) for number in range(n_parts))


EVERYWHERE = [HERE, SHARED, UNKNOWN, OWN]


@pytest.mark.parametrize("destination", EVERYWHERE)
@pytest.mark.parametrize("keep_headers", [False, True])
def test_a_blank_header_goes_anywhere_as_it_is(blank_file: Path, destination: Destination, keep_headers: bool) -> None:
    assert sent(blank_file, destination, keep_headers=keep_headers) == blank_file.read_bytes()


@pytest.mark.parametrize("destination", EVERYWHERE)
def test_a_name_is_blanked_on_the_way(named_file: Path, blank_file: Path, destination: Destination) -> None:
    assert sent(named_file, destination) == blank_file.read_bytes()
    assert NAME in named_file.read_bytes(), "the file on this machine stays as it is"


@pytest.mark.parametrize("destination", [HERE, OWN])
def test_a_name_may_go_to_a_place_of_ones_own_when_asked_for(named_file: Path, destination: Destination) -> None:
    assert sent(named_file, destination, keep_headers=True) == named_file.read_bytes()


@pytest.mark.parametrize("destination", [SHARED, UNKNOWN])
def test_a_name_is_never_kept_elsewhere(named_file: Path, destination: Destination) -> None:
    with pytest.raises(HeaderNamesPerson) as caught:
        sent(named_file, destination, keep_headers=True)
    assert caught.value.fields == ("tPatientName",)
    assert NAME.decode() not in str(caught.value)
    assert "mroptimum anonymise" in caught.value.next_step


def test_what_is_sent_is_what_the_command_writes(named_file: Path, tmp_path: Path) -> None:
    anonymise(named_file, tmp_path / "written.dat")
    assert sent(named_file, SHARED) == (tmp_path / "written.dat").read_bytes()


@pytest.mark.parametrize("keep_headers", [False, True])
@pytest.mark.parametrize("destination", [HERE, SHARED])
def test_a_pair_of_files_goes_in_one(
    tmp_path: Path, destination: Destination, keep_headers: bool, rng: np.random.Generator
) -> None:
    kspace = rng.normal(size=(*(1,) * 12, 2, 1, 8, 8)).astype(np.complex64)
    pair = write_pair(tmp_path / "jane.cfl", kspace)
    if keep_headers and destination is SHARED:
        with pytest.raises(HeaderNamesPerson):
            sent(pair, destination, keep_headers=True)
        return
    content = sent(pair, destination, keep_headers=keep_headers)
    assert b"jane" not in content
    (tmp_path / "sent").write_bytes(content)
    np.testing.assert_array_equal(open_bart(tmp_path / "sent").load(), kspace)


def files_that_hold_no_raw_data(folder: Path, rng: np.random.Generator) -> dict[str, Path]:
    """Masks, maps and results: what a job needs beside its signal and noise."""
    mask = nibabel.Nifti1Image(np.ones((4, 4, 2), np.uint8), np.eye(4))
    for name in ("mask.nii", "mask.nii.gz"):
        mask.to_filename(folder / name)
    np.savez(folder / "angle.npz", rng.uniform(60, 90, size=(2, 4, 4)))
    np.save(folder / "angle.npy", rng.uniform(60, 90, size=(2, 4, 4)))
    scipy.io.savemat(folder / "mask.mat", {"mask": np.ones((4, 4))})
    with zipfile.ZipFile(folder / "package.zip", "w") as archive:
        for name in ("info.json", "manifest.json", "data/snr.nii.gz"):
            archive.writestr(name, "{}")
    names = ("mask.nii", "mask.nii.gz", "angle.npz", "angle.npy", "mask.mat", "package.zip")
    return {name: folder / name for name in names}


@pytest.mark.parametrize("destination", EVERYWHERE)
def test_masks_maps_and_results_go_everywhere(
    tmp_path: Path, destination: Destination, rng: np.random.Generator
) -> None:
    for name, path in files_that_hold_no_raw_data(tmp_path, rng).items():
        assert sent(path, destination) == path.read_bytes(), name


def test_what_a_mask_says_of_a_person_stays_here(tmp_path: Path) -> None:
    mask = nibabel.Nifti1Image(np.arange(32, dtype=np.uint8).reshape(4, 4, 2), np.eye(4))
    mask.header["descrip"] = NAME
    for name in ("mask.nii", "mask.nii.gz"):
        mask.to_filename(tmp_path / name)
        (tmp_path / f"sent-{name}").write_bytes(sent(tmp_path / name, SHARED))
        arrived = nibabel.Nifti1Image.from_filename(tmp_path / f"sent-{name}")
        assert arrived.header["descrip"].item() == b""
        np.testing.assert_array_equal(np.asanyarray(arrived.dataobj), np.asanyarray(mask.dataobj))


@pytest.mark.parametrize("content", [b"half a header", b"PK\x03\x04 and no more", b"\x89PNG\r\n\x1a\n" + bytes(2000)])
@pytest.mark.parametrize(("destination", "may_go"), [(OWN, True), (HERE, True), (SHARED, False)])
def test_what_cannot_be_looked_into_goes_only_where_headers_may_stay(
    tmp_path: Path, destination: Destination, may_go: bool, content: bytes
) -> None:
    path = tmp_path / "meas.dat"
    path.write_bytes(content)
    if may_go:
        assert sent(path, destination, keep_headers=True) == content
    for keep_headers in (False, *([] if may_go else [True])):
        with pytest.raises(RawDataError):
            sent(path, destination, keep_headers=keep_headers)


@pytest.mark.parametrize(("mode", "is_sent"), [("mode_1", False), ("mode_2", True)])
def test_the_mode_of_a_unit_asked_for_by_id_is_looked_up(
    named_file: Path, tmp_path: Path, mode: str, is_sent: bool
) -> None:
    class Reached(Exception):
        """The upload was begun."""

    def brain(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/data/upload":
            raise Reached
        provider = "user" if mode == "mode_2" else "cloudmrhub"
        unit = {"computingUnitId": "unit_1", "mode": mode, "provider": provider, "alias": "it", "status": "ready"}
        return httpx.Response(200, json={"computingUnits": [unit]})

    transport = httpx.MockTransport(brain)
    with (
        BrainClient("https://brain.example.org", token="cmr_t", folder=tmp_path, transport=transport) as client,
        pytest.raises(Reached if is_sent else HeaderNamesPerson),
    ):
        client.upload(named_file, unit_id="unit_1", keep_headers=True)
