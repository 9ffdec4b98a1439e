from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mroptimum.errors import TaskError
from mroptimum.flags import Flags
from mroptimum.task import CoilMapMethod, FileReference, Method, NoiseEstimate, ReconstructionName, TaskDocument

S3 = {"type": "s3", "filename": "jane_doe.dat", "bucket": "b", "key": "uploads/data_1"}


def sent_by_an_existing_client() -> dict[str, Any]:
    """A document with the fields, spellings and ids that the web app of today sends."""
    return {
        "task": {
            "version": "v0",
            "acquisition": 2,
            "type": "SNR",
            "id": 0,
            "name": "AC",
            "queued": False,
            "options": {
                "reconstructor": {
                    "type": "recon",
                    "name": "Sense",
                    "id": 2,
                    "options": {
                        "signalMultiRaid": False,
                        "signal": {"type": "file", "id": 1, "options": {**S3, "options": {}, "vendor": "Siemens"}},
                        "noise": {"type": "file", "id": 0, "options": {**S3, "multiraid": False}},
                        "sensitivityMap": {
                            "type": "sensitivityMap",
                            "id": 2,
                            "name": "inner",
                            "options": {"loadSensitivity": False, "sensitivityMapMethod": "innerACL", "mask": "no"},
                        },
                        "decimate": True,
                        "accelerations": [1, 2],
                        "acl": [None, 24],
                        "gfactor": True,
                        "correction": {"useCorrection": False},
                    },
                }
            },
        },
        "output": {"coilsensitivity": False, "gfactor": True, "matlab": True},
    }


def test_what_existing_clients_send_is_understood() -> None:
    document = TaskDocument.parse(sent_by_an_existing_client())
    options = document.task.options.reconstructor.options
    assert document.task.name is Method.AC
    assert document.task.options.reconstructor.name is ReconstructionName.SENSE
    assert options.accelerations == (1, 2)
    assert options.acl == (None, 24)
    assert options.sensitivity_map.options.sensitivity_map_method is CoilMapMethod.INNER_ACL
    assert document.output.matlab


def test_a_document_survives_json() -> None:
    document = TaskDocument.parse(sent_by_an_existing_client())
    assert TaskDocument.parse(json.loads(json.dumps(document.as_json()))) == document


def test_a_bare_task_gets_the_default_outputs() -> None:
    bare = sent_by_an_existing_client()["task"]
    document = TaskDocument.parse(bare)
    assert not document.output.matlab
    assert document.task == TaskDocument.parse({"task": bare}).task


def test_files_come_signal_first_and_names_can_be_taken_out() -> None:
    document = TaskDocument.parse(sent_by_an_existing_client())
    assert [f.options.key for f in document.files()] == ["uploads/data_1"] * 2
    anonymous = document.anonymous()
    assert [f.options.filename for f in anonymous.files()] == ["signal", "noise"]
    assert "jane" not in json.dumps(anonymous.as_json())
    assert anonymous.task.options.reconstructor.name is ReconstructionName.SENSE


RECONSTRUCTOR = ("task", "options", "reconstructor")
OPTIONS = (*RECONSTRUCTOR, "options")


@pytest.mark.parametrize(
    ("where", "value", "complaint"),
    [
        (("task", "name"), "fourier", "task.name"),
        (("task", "type"), "t1", "task.type"),
        (("task", "version"), "v1", "task.version"),
        (("task", "colour"), "red", "task.colour: unknown field"),
        (("output", "pdf"), True, "output.pdf: unknown field"),
        (("task", "options", "NR"), 10, "NR goes with pmr and cr"),
        (("task", "options", "boxSize"), 3, "boxSize goes with cr and difference"),
        (("task", "options", "NR"), 0, "greater than"),
        ((*RECONSTRUCTOR, "name"), "rss", "rss reconstructs full scans"),
        ((*OPTIONS, "accelerations"), [2, 1], "the readout (first number) is never undersampled"),
        ((*OPTIONS, "accelerations"), [1, 1], "decimate needs accelerations"),
        ((*OPTIONS, "accelerations"), None, "decimate needs accelerations"),
        ((*OPTIONS, "accelerations"), [1, 2, 3], "accelerations"),
        ((*OPTIONS, "kernelSize"), [4, 4], "kernelSize goes with grappa only"),
        ((*OPTIONS, "correction", "useCorrection"), True, "needs faCorrection"),
        ((*OPTIONS, "signal", "options", "key"), None, "needs both bucket and key"),
        ((*OPTIONS, "signal", "options", "type"), "local", "neither bucket nor key"),
        ((*OPTIONS, "signal", "options", "options"), {"a": 1}, "signal.options.options"),
        ((*OPTIONS, "noise"), {"type": "estimate", "options": {"source": "guess"}}, "noise.options.source"),
        ((*OPTIONS, "sensitivityMap", "options", "mask"), {"method": "percentage"}, "needs value"),
        ((*OPTIONS, "sensitivityMap", "options", "mask"), {"method": "percentage", "value": 101}, "at most 100"),
        ((*OPTIONS, "sensitivityMap", "options", "mask"), {"method": "no", "k": 3}, "espirit only"),
        ((*OPTIONS, "sensitivityMap", "options", "loadSensitivity"), True, "sensitivityMapSource goes with"),
        (("task", "acquisition"), 3, "accelerations and acl of a 3D scan have three numbers"),
        (("task", "acquisition"), 4, "acquisition"),
        ((*OPTIONS, "accelerations"), [1, 2, 2, 2], "accelerations"),
        ((*OPTIONS, "acl"), [None, 24, 24], "a third goes with acquisition 3"),
        ((*OPTIONS, "keepAcs"), True, "keepAcs goes with grappa only"),
    ],
)
def test_what_means_nothing_is_refused_by_name(where: tuple[str, ...], value: object, complaint: str) -> None:
    document = sent_by_an_existing_client()
    inner = document
    for step in where[:-1]:
        inner = inner[step]
    inner[where[-1]] = value
    with pytest.raises(TaskError) as refusal:
        TaskDocument.parse(document)
    assert complaint in refusal.value.message
    assert "jane" not in str(refusal.value)


def test_every_problem_is_named_at_once() -> None:
    document = sent_by_an_existing_client()
    document["task"]["colour"] = "red"
    document["output"]["pdf"] = 1
    del document["task"]["options"]["reconstructor"]["options"]["signal"]
    with pytest.raises(TaskError) as refusal:
        TaskDocument.parse(document)
    for part in ("task.colour", "output.pdf", "signal: field required"):
        assert part in refusal.value.message


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(path for key, inner in steps for path in paths(inner, (*here, key)))]


@given(data=st.data(), junk=json_values)
def test_no_document_does_anything_but_parse_or_be_refused(data: st.DataObject, junk: object) -> None:
    document: Any = copy.deepcopy(sent_by_an_existing_client())
    path = data.draw(st.sampled_from(paths(document)))
    if path:
        inner = document
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = junk
    else:
        document = junk
    try:
        parsed = TaskDocument.parse(document)
    except TaskError:
        return
    assert TaskDocument.parse(parsed.as_json()) == parsed


def local(name: str) -> FileReference:
    return FileReference.model_validate({"type": "file", "options": {"type": "local", "filename": name}})


def test_flags_make_the_same_task_as_json() -> None:
    flags = Flags(reconstruction="SENSE", acceleration=2, decimate=True, acs_lines=24, mask_percentage=5, matlab=True)
    document = flags.document(local("s.dat"), local("n.dat"))
    options = document.task.options.reconstructor.options
    assert (options.decimate, options.accelerations, options.acl) == (True, (1, 2), (None, 24))
    assert options.sensitivity_map.options.mask.value == 5
    assert document.output.matlab


def test_flags_for_an_estimate_from_a_second_file() -> None:
    noise = (
        Flags(noise_estimate="repetitions").document(local("a"), None, local("b")).task.options.reconstructor.options
    )
    assert isinstance(noise.noise, NoiseEstimate)
    assert noise.noise.options.file == local("b")
    with pytest.raises(TaskError, match="second file goes with"):
        Flags(noise_estimate="kspace_edge").document(local("a"), None, local("b"))


def test_the_schema_names_every_default() -> None:
    schema = TaskDocument.schema_document()
    assert schema["$defs"]["Output"]["properties"]["gfactor"]["default"] is True
    assert "enum" in schema["$defs"]["ReconstructionName"]
