"""A raw file that names a person and reaches the shared unit all the same, through a real Brain and a real worker."""

from __future__ import annotations

from pathlib import Path

from mroptimum.flags import Flags
from mroptimum.phantom import Phantom, simulate, write_twix_ve
from real_brain import RealBrain

BLANK, NAME = b"xxxxxxxx", b"Doe^Jane"


def test_it_is_cleaned_before_it_is_used_and_the_job_says_so(real_brain: RealBrain, tmp_path: Path) -> None:
    path = tmp_path / "meas.dat"
    write_twix_ve(path, simulate(Phantom(n_x=32, n_y=32, n_coils=4, n_noise_readouts=32)))
    blank = path.read_bytes()
    path.write_bytes(blank.replace(BLANK, NAME))
    with real_brain.person() as client:
        uploaded = client.upload(path, keep_headers=True)
        document = Flags().document(uploaded.reference, None)
        first = client.submit(document)
        list(client.follow(first.job_id))
        again = client.rerun(first.job_id)
        list(client.follow(again.job_id))

        assert client.job(first.job_id).succeeded
        assert client.job(again.job_id).succeeded
        log = client.job_log(first.job_id)
        [said] = [event for event in log.events if event.action == "input_cleaned"]
        assert "tPatientName" in said.reason
        assert any("tPatientName" in line.message and line.level == "warning" for line in log.lines)
        assert all(event.action != "input_cleaned" for event in client.job_log(again.job_id).events)

        arrived = tmp_path / "arrived.dat"
        client.download_data(uploaded.id, arrived)
        assert arrived.read_bytes() == blank
        assert client.data_file(uploaded.id).cleaned_at is not None
    kept = b"".join(file.read_bytes() for file in (real_brain.folder.parent / "home").rglob("*") if file.is_file())
    assert NAME not in kept
