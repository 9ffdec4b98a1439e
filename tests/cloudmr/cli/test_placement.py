from __future__ import annotations

from pathlib import Path

from cloudmr.cli.placement import local, placed
from mroptimum.flags import Flags
from mroptimum.task import FileReference, NoiseEstimate, TaskDocument


def in_unit(path: Path) -> FileReference:
    options = {"type": "s3", "bucket": "data", "key": f"uploads/{path.stem}", "filename": path.name}
    return FileReference.model_validate({"type": "file", "options": options})


def test_every_local_file_is_placed_and_the_rest_stays(tmp_path: Path) -> None:
    document = Flags(reconstruction="sense", acceleration=2).document(
        local(tmp_path / "signal.dat"), local(tmp_path / "noise.dat")
    )
    done = placed(document, in_unit)
    assert [file.options.key for file in done.files()] == ["uploads/signal", "uploads/noise"]
    assert {file.options.type for file in done.files()} == {"s3"}
    assert str(tmp_path) not in str(done.as_json())
    assert done.anonymous() == placed(document.anonymous(), in_unit).anonymous()


def test_a_second_repetition_within_an_estimate_is_placed_too(tmp_path: Path) -> None:
    flags = Flags(noise_estimate="repetitions")
    done = placed(flags.document(local(tmp_path / "a.dat"), None, local(tmp_path / "b.dat")), in_unit)
    noise = done.task.options.reconstructor.options.noise
    assert isinstance(noise, NoiseEstimate)
    assert noise.options.file is not None
    assert noise.options.file.options.key == "uploads/b"


def test_the_same_file_named_twice_is_placed_once(tmp_path: Path) -> None:
    calls: list[Path] = []

    def place(path: Path) -> FileReference:
        calls.append(path)
        return in_unit(path)

    folder = tmp_path / "below"
    folder.mkdir()
    placed(Flags().document(local(tmp_path / "a.dat"), local(folder / ".." / "a.dat")), place)
    assert calls == [tmp_path / "a.dat"]


def test_what_is_in_a_unit_already_is_left_alone(tmp_path: Path) -> None:
    reference = in_unit(Path("a.dat"))
    document = Flags().document(reference, None)

    def place(path: Path) -> FileReference:
        raise AssertionError(path)

    assert placed(document, place) == document


def test_what_a_task_says_about_a_file_stays_said() -> None:
    file = {"type": "file", "id": 7, "options": {"type": "local", "filename": "a.dat", "multiraid": True}}
    document = TaskDocument.parse(
        {"name": "ac", "options": {"reconstructor": {"name": "rss", "options": {"signal": file}}}}
    )
    [signal] = placed(document, in_unit).files()
    assert signal.id == 7
    assert signal.options.multiraid is True
    assert signal.options.bucket == "data"
