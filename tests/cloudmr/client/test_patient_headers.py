"""What may name a person stays on this machine, unless its owner sends it to a place of their own."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from cloudmr.client.brain import BrainClient
from cloudmr.client.errors import HeaderNamesPerson
from cloudmr.client.patient_fields import Destination, check_header
from cloudmr.model.units import Mode
from mroptimum.errors import UnreadableFile
from mroptimum.phantom import Phantom, simulate, write_twix_vb

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


@pytest.mark.parametrize("destination", [HERE, SHARED, UNKNOWN, OWN])
@pytest.mark.parametrize("keep_headers", [False, True])
def test_a_blank_header_may_go_anywhere(blank_file: Path, destination: Destination, keep_headers: bool) -> None:
    check_header(blank_file, "blank.dat", destination, keep_headers=keep_headers)


@pytest.mark.parametrize("destination", [HERE, OWN])
def test_a_name_may_go_to_a_place_of_ones_own_when_asked_for(named_file: Path, destination: Destination) -> None:
    check_header(named_file, "named.dat", destination, keep_headers=True)


@pytest.mark.parametrize(
    ("destination", "keep_headers"),
    [(HERE, False), (SHARED, False), (UNKNOWN, False), (OWN, False), (SHARED, True), (UNKNOWN, True)],
)
def test_a_name_stays_here_otherwise(named_file: Path, destination: Destination, keep_headers: bool) -> None:
    with pytest.raises(HeaderNamesPerson) as caught:
        check_header(named_file, "named.dat", destination, keep_headers=keep_headers)
    assert caught.value.fields == ("tPatientName",)
    assert NAME.decode() not in str(caught.value)
    assert ("--keep-headers" in caught.value.next_step) is not keep_headers


@pytest.mark.parametrize(("destination", "may_go"), [(OWN, True), (HERE, True), (SHARED, False)])
def test_what_cannot_be_looked_into_goes_only_where_headers_may_stay(
    tmp_path: Path, destination: Destination, may_go: bool
) -> None:
    path = tmp_path / "meas.dat"
    path.write_bytes(b"half a header")
    if may_go:
        check_header(path, "meas.dat", destination, keep_headers=True)
    else:
        with pytest.raises(UnreadableFile):
            check_header(path, "meas.dat", destination, keep_headers=True)


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
