"""Two images of a person, from their owner's disk to an SNR: through a unit that never sees whose they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dicom_files import PERSON, image, save
from mroptimum.flags import Flags
from mroptimum.package import opened, read_package
from mroptimum.verify import repeat
from real_brain import RealBrain


@pytest.mark.slow
def test_two_dicom_images_become_an_snr_and_name_nobody(
    real_brain: RealBrain, tmp_path: Path, rng: np.random.Generator
) -> None:
    pixels = [rng.normal(1000, 20, size=(48, 64)).round().astype(np.uint16) for _ in range(2)]
    paths = [save(image(of_image, **PERSON), tmp_path / f"{n}.dcm") for n, of_image in enumerate(pixels)]
    cleaned: list[str] = []
    with real_brain.person() as client:
        references = [
            client.upload(path, filename=f"image {n}", cleaned=cleaned.extend).reference for n, path in enumerate(paths)
        ]
        flags = Flags(method="difference", reconstruction="scanner", mask_percentage=1)
        job = client.submit(flags.document(references[0], None, references[1]))
        for _ in client.follow(job.job_id):
            pass
        client.download_files(client.result(job.job_id), tmp_path / "package")
    assert set(PERSON) <= set(cleaned)
    for path in (tmp_path / "package").rglob("*"):
        if path.is_file():
            assert not any(word in path.read_bytes() for word in (b"Jane", b"4711", b"20240206"))
    with opened(tmp_path / "package") as files:
        package = read_package(files)
        snr = next(stored for stored in package.maps if stored.name == "SNR")
        [volume] = package.volumes(snr)
        assert volume.data.mean() == pytest.approx(50, rel=0.03)
        assert repeat(package, paths).is_good, "known again, though the unit had clean copies"
