"""Data files on their way to a worker: what they must be, and what they must not name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

from cloudmr.model.documents import DocumentUnit, InputFile, JobDocument
from cloudmr.model.instants import utc_now
from cloudmr.model.reports import ReportedInput
from cloudmr.model.units import Mode, Provider
from cloudmr.storage.base import Bucket
from cloudmr.storage.checksums import checksum_file
from cloudmr.storage.local_objects import LocalObjects
from cloudmr.worker.errors import InputChanged, InputNamesPerson
from cloudmr.worker.journal import Journal, to_file
from cloudmr.worker.staging import stage
from dicom_files import image, save
from mroptimum.phantom import Phantom, simulate, write_twix_vb
from small_job import JOB_ID, SIGNAL

KEY = f"uploads/{SIGNAL}"
BLANK, NAME = b"xxxxxxxx", b"Doe^Jane"


@dataclass
class Counter:
    """Remembers what it is told, and lets it be true for whoever asks."""

    document: JobDocument
    told: list[ReportedInput] = field(default_factory=list)
    before_telling: Callable[[], None] = lambda: None

    def tell_input(self, found: ReportedInput) -> None:
        self.before_telling()
        self.told.append(found)
        if found.checksum is not None:
            [file] = self.document.inputs
            clean = file.model_copy(update={"size_bytes": found.size_bytes, "checksum": found.checksum})
            self.document = self.document.model_copy(update={"inputs": (clean,)})

    def fetch_document(self) -> JobDocument:
        return self.document


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("raw") / "meas.dat"
    write_twix_vb(path, simulate(Phantom(n_x=16, n_y=16, n_coils=2, n_noise_readouts=4)))
    content = path.read_bytes()
    assert BLANK in content
    path.write_bytes(content.replace(BLANK, NAME))
    return path


def document_of(path: Path, mode: Mode = Mode.MODE_1) -> JobDocument:
    found = checksum_file(path)
    return JobDocument(
        job_id=JOB_ID,
        attempt=1,
        app_name="MR Optimum",
        alias="a job",
        task={},
        output={},
        inputs=(InputFile(data_id=SIGNAL, key=KEY, size_bytes=found.size_bytes, checksum=found.composite),),
        computing_unit=DocumentUnit(id="unit_1", mode=mode, provider=Provider.CLOUDMRHUB),
        results_prefix="results/x/1",
        failed_prefix="failed/x/1",
        deadline_at=utc_now(),
    )


def bring(storage: LocalObjects, document: JobDocument, counter: Counter, folder: Path) -> tuple[bytes, str]:
    """Return the bytes that were staged, and the log."""
    folder.mkdir()
    stage(
        document,
        storage=storage,
        folder=folder / "inputs",
        journal=Journal(to_file(folder / "log.jsonl"), clock=utc_now, report=lambda _: None),
        go_on=lambda: None,
        counter=counter,
    )
    return (folder / "inputs" / SIGNAL).read_bytes(), (folder / "log.jsonl").read_text()


def stored(storage: LocalObjects) -> bytes:
    return storage.read(Bucket.DATA, KEY, limit_bytes=10**8)


def test_a_file_in_a_shared_unit_that_names_a_person_is_blanked_there_and_here(
    storage: LocalObjects, named: Path, tmp_path: Path
) -> None:
    storage.put(Bucket.DATA, KEY, named)
    document = document_of(named)
    counter = Counter(document)
    staged, log = bring(storage, document, counter, tmp_path / "first")
    assert staged == named.read_bytes().replace(NAME, BLANK) == stored(storage)
    [told] = counter.told
    assert told.data_id == SIGNAL
    assert "tPatientName" in told.fields
    assert (told.size_bytes, told.checksum) == (len(staged), storage.require(Bucket.DATA, KEY).checksum)
    assert "named a person (tPatientName" in log
    assert "Doe" not in log

    again, _ = bring(storage, counter.document, counter, tmp_path / "second")
    assert again == staged
    assert len(counter.told) == 1


def test_a_job_that_was_promised_the_file_as_it_was_takes_the_clean_one(
    storage: LocalObjects, named: Path, tmp_path: Path
) -> None:
    storage.put(Bucket.DATA, KEY, named)
    document = document_of(named)
    counter = Counter(document)
    bring(storage, document, counter, tmp_path / "first")
    staged, _ = bring(storage, document, counter, tmp_path / "second")
    assert NAME not in staged


def test_a_worker_that_ended_after_telling_is_made_up_for(storage: LocalObjects, named: Path, tmp_path: Path) -> None:
    storage.put(Bucket.DATA, KEY, named)
    document = document_of(named)
    counter = Counter(document)
    bring(storage, document, counter, tmp_path / "first")
    storage.put(Bucket.DATA, KEY, named)  # told of, and never stored
    staged, _ = bring(storage, counter.document, counter, tmp_path / "second")
    assert NAME not in staged
    assert stored(storage) == staged


def test_the_brain_knows_before_the_file_is_replaced(storage: LocalObjects, named: Path, tmp_path: Path) -> None:
    storage.put(Bucket.DATA, KEY, named)
    document = document_of(named)

    def still_as_it_was() -> None:
        assert NAME in stored(storage)

    bring(storage, document, Counter(document, before_telling=still_as_it_was), tmp_path / "run")


def test_in_ones_own_unit_nobody_touches_ones_files(storage: LocalObjects, named: Path, tmp_path: Path) -> None:
    storage.put(Bucket.DATA, KEY, named)
    document = document_of(named, Mode.MODE_2)
    counter = Counter(document)
    staged, _ = bring(storage, document, counter, tmp_path / "run")
    assert staged == named.read_bytes() == stored(storage)
    assert counter.told == []


def test_what_cannot_be_cleaned_must_go(storage: LocalObjects, tmp_path: Path) -> None:
    dataset = image(np.ones((8, 8), np.uint16))
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    path = save(dataset, tmp_path / "image.dcm")
    storage.put(Bucket.DATA, KEY, path)
    document = document_of(path)
    counter = Counter(document)
    with pytest.raises(InputNamesPerson, match="could not be cleaned"):
        bring(storage, document, counter, tmp_path / "run")
    assert counter.told == [ReportedInput(data_id=SIGNAL)]


def test_what_nobody_can_look_into_is_for_the_computation_to_refuse(storage: LocalObjects, tmp_path: Path) -> None:
    path = tmp_path / "noise.bin"
    path.write_bytes(bytes(range(256)) * 40)
    storage.put(Bucket.DATA, KEY, path)
    document = document_of(path)
    staged, _ = bring(storage, document, Counter(document), tmp_path / "run")
    assert staged == path.read_bytes()


def test_other_bytes_than_promised_are_refused(storage: LocalObjects, named: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"something else")
    storage.put(Bucket.DATA, KEY, other)
    document = document_of(named)
    with pytest.raises(InputChanged):
        bring(storage, document, Counter(document), tmp_path / "run")
