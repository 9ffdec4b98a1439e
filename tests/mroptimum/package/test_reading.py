"""Packages as values: what was written comes back, and what somebody made of it is explained."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mroptimum.flags import Flags
from mroptimum.package import (
    DamagedPackage,
    NotAPackage,
    PackageError,
    ResultPackage,
    opened,
    opened_archive,
    read_package,
)
from mroptimum.phantom import Phantom
from mroptimum.report.content import content_of_package
from mroptimum.report.html import report_page
from mroptimum.result import MapId, Result
from packages import changed, contents_of, write_result, write_scan, write_zip
from tasks import map_of, run_flags

FLAGS = Flags(reconstruction="sense", coil_sensitivities=True)


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scan(tmp_path_factory.mktemp("scan") / "scan.dat")


@pytest.fixture(scope="module")
def package(scan: Path) -> Path:
    return write_result(scan.parent / "package", scan, FLAGS)


@pytest.fixture(scope="module")
def result(scan: Path) -> Result:
    return run_flags(FLAGS, scan)


@pytest.fixture(scope="module")
def contents(package: Path) -> dict[str, bytes]:
    return contents_of(package / "package.zip")


def everything_of(package: ResultPackage) -> None:
    """Read whatever there is, as the commands together do."""
    for stored in package.maps:
        package.volumes(stored)
    report_page(content_of_package(package))


def test_maps_come_back_with_their_names_units_and_values(package: Path, result: Result) -> None:
    with opened(package) as files:
        found = read_package(files)
        assert [m.id for m in found.maps] == [m.id for m in result.maps]
        for stored in found.maps:
            written = map_of(result, stored.id)
            assert (stored.name, stored.unit, stored.description) == (written.name, written.unit, written.description)
            assert stored.kind is written.kind
            [volume] = found.volumes(stored)
            assert volume.data.shape == (24, 20, 3)
            np.testing.assert_array_equal(np.sort(volume.data.ravel()), np.sort(written.data.ravel()))
            assert volume.grid.voxel_volume_mm3 == pytest.approx(220 / 24 * 220 / 20 * 8, rel=1e-6)
        assert [m.id for m in found.maps if m.is_coil_map] == [10, 2000, 11, 2001, 12, 2002, 13, 2003]
        assert found.mask is not None
        assert found.mask.id == MapId.MASK


def test_task_noise_and_protocol_come_back_exactly(package: Path, result: Result) -> None:
    with opened(package) as files:
        found = read_package(files)
        assert found.document == result.document
        assert found.info.info.protocol == result.protocol
        assert found.manifest.inputs == result.inputs
        noise = found.noise()
    assert noise is not None
    assert result.noise is not None
    np.testing.assert_array_equal(noise.covariance, result.noise.covariance)
    np.testing.assert_array_equal(noise.sample_covariance, result.noise.sample_covariance)
    assert (noise.chain, noise.bandwidth, noise.n_samples) == (
        result.noise.chain,
        result.noise.bandwidth,
        result.noise.n_samples,
    )


def test_slices_in_several_stacks_stay_apart(scan: Path, tmp_path: Path) -> None:
    """The entries of one id become one map, in their order."""
    package = write_result(tmp_path / "out", scan, Flags(reconstruction="sense"))
    contents = contents_of(package / "package.zip")
    info = json.loads(contents["info.json"])
    snr = next(entry for entry in info["data"] if entry["id"] == 0)
    info["data"].append({**snr, "filename": "data/image.nii.gz"})
    path = write_zip(tmp_path / "two.zip", changed(contents, "info.json", json.dumps(info).encode()))
    with opened(path) as files:
        stored = read_package(files).maps[0]
    assert stored.filenames == ("data/snr.nii.gz", "data/image.nii.gz")


def test_an_image_without_an_snr_is_a_result(tmp_path: Path) -> None:
    silent = write_scan(tmp_path / "scan.dat", Phantom(n_coils=4, n_x=16, n_y=16, n_noise_readouts=0))
    with opened(write_result(tmp_path / "out", silent, Flags())) as files:
        found = read_package(files)
    assert [m.id for m in found.maps] == [MapId.IMAGE]
    assert (found.noise(), found.mask) == (None, None)
    assert found.manifest.error is not None
    assert found.manifest.error.code == "no_noise"


def test_a_failure_without_a_result_says_what_failed(tmp_path: Path) -> None:
    error = {"code": "cancelled", "message": "The job was cancelled.", "next_step": "Submit it again."}
    path = write_zip(tmp_path / "failed.zip", {"error.json": json.dumps(error).encode()})
    with opened(path) as files, pytest.raises(NotAPackage, match="The job was cancelled") as refusal:
        read_package(files)
    assert refusal.value.next_step == "Submit it again."


def test_an_empty_folder_is_no_package(tmp_path: Path) -> None:
    with opened(tmp_path) as files, pytest.raises(NotAPackage, match=r"no info\.json"):
        read_package(files)


def edited(contents: dict[str, bytes], name: str, *steps: str | int, value: Any) -> dict[str, bytes]:
    """Put a value somewhere into a JSON document of a package."""
    document = json.loads(contents[name])
    inner = document
    for step in steps[:-1]:
        inner = inner[step]
    inner[steps[-1]] = value
    return {**contents, name: json.dumps(document).encode()}


@pytest.mark.parametrize("value", [None, 7, "x", [], {}, True, -1, 1e400, [[]], {"a": None}])
@pytest.mark.parametrize(
    "place",
    [
        ("info.json", "data"),
        ("info.json", "data", 0, "filename"),
        ("info.json", "data", 0, "id"),
        ("info.json", "headers"),
        ("info.json", "headers", "log"),
        ("info.json", "headers", "options"),
        ("info.json", "info", "protocol"),
        ("info.json", "info", "protocol", "matrix"),
        ("info.json", "info", "protocol", "n_coils"),
        ("info.json", "info", "noise", "scale_factors"),
        ("info.json", "info", "noise", "bandwidth"),
        ("manifest.json", "inputs"),
        ("manifest.json", "outputs", 0, "sha256"),
        ("manifest.json", "created_at"),
    ],
)
def test_values_of_another_kind_are_read_or_refused(
    contents: dict[str, bytes], place: tuple[str | int, ...], value: Any, tmp_path: Path
) -> None:
    path = write_zip(tmp_path / "p.zip", edited(contents, str(place[0]), *place[1:], value=value))
    with opened(path) as files, suppress(PackageError):
        everything_of(read_package(files))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("info.json", b""),
        ("info.json", b"[" * 100_000),
        ("info.json", b"\xff\xfe{}"),
        ("info.json", b'{"data": NaN}'),
        ("manifest.json", b"{}"),
        ("manifest.json", b"9" * 10_000),
        ("data/snr.nii.gz", b""),
        ("data/noise.npz", b""),
        ("data/noise.npz", b"PK\x05\x06" + bytes(18)),
    ],
)
def test_damaged_files_are_named(contents: dict[str, bytes], name: str, content: bytes, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "p.zip", {**contents, name: content})
    with opened(path) as files, pytest.raises((DamagedPackage, NotAPackage)) as refusal:
        everything_of(read_package(files))
    assert "again" in refusal.value.next_step or "package.zip" in refusal.value.next_step


def test_a_map_cannot_be_a_file_of_somebody_elses(contents: dict[str, bytes], tmp_path: Path) -> None:
    path = write_zip(tmp_path / "p.zip", edited(contents, "info.json", "data", 0, "filename", value="../../etc/passwd"))
    with opened(path) as files, pytest.raises(DamagedPackage, match="outside the package"):
        read_package(files)


def npz(**arrays: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, array)
    return buffer.getvalue()


SQUARE = np.eye(4, dtype=np.complex128)


@pytest.mark.parametrize(
    "arrays",
    [
        {"covariance": SQUARE},
        {"covariance": SQUARE.real, "sample_covariance": SQUARE},
        {"covariance": SQUARE[:2], "sample_covariance": SQUARE},
        {"covariance": SQUARE[:2, :2], "sample_covariance": SQUARE},
        {"covariance": SQUARE * np.nan, "sample_covariance": SQUARE},
        {"covariance": -SQUARE, "sample_covariance": SQUARE},
        {"covariance": np.array([{"a": 1}], dtype=object), "sample_covariance": SQUARE},
    ],
)
def test_what_is_no_covariance_is_refused(
    contents: dict[str, bytes], arrays: dict[str, np.ndarray[Any, Any]], tmp_path: Path
) -> None:
    path = write_zip(tmp_path / "p.zip", {**contents, "data/noise.npz": npz(**arrays)})
    with opened(path) as files, pytest.raises(DamagedPackage, match="covariance"):
        read_package(files).noise()


def test_a_task_of_the_future_is_refused_with_the_version_that_wrote_it(
    contents: dict[str, bytes], tmp_path: Path
) -> None:
    options = {"task": {"name": "quantum"}}
    path = write_zip(tmp_path / "p.zip", edited(contents, "info.json", "headers", "options", value=options))
    with opened(path) as files, pytest.raises(DamagedPackage) as refusal:
        _ = read_package(files).document
    assert "It was written by mroptimum" in refusal.value.next_step


def test_no_change_to_an_archive_does_more_than_be_explained(contents: dict[str, bytes], tmp_path: Path) -> None:
    """300 archives cut short, with bytes changed, or with a file of another in the place of one."""
    whole = write_zip(tmp_path / "p.zip", contents).read_bytes()
    rng = np.random.default_rng(3)
    outcomes = {"read": 0, "refused": 0}
    for attempt in range(300):
        content = bytearray(whole)
        if attempt % 3 == 0:
            content = content[: rng.integers(1, len(content))]
        else:
            # Structure lies at the members' headers and in the directory; most of the rest is pixels.
            directory = whole.index(b"PK\x01\x02")
            start, end = (directory, len(whole)) if attempt % 3 == 1 else (0, len(whole))
            for place in rng.integers(start, end, 4):
                content[place] = rng.integers(0, 256)
        try:
            with opened_archive(io.BytesIO(bytes(content)), len(content)) as files:
                everything_of(read_package(files))
        except PackageError:
            outcomes["refused"] += 1
        else:
            outcomes["read"] += 1
    assert min(outcomes.values()) > 5


def test_the_archive_is_the_folder(package: Path) -> None:
    with opened(package) as folder, opened(package / "package.zip") as archive:
        assert folder.names - {"package.zip"} == archive.names
        assert read_package(folder).info == read_package(archive).info
