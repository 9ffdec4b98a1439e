"""What can go wrong in a worker, apart from the task itself.

ExplainedError (mroptimum)
├── InputChanged            a data file is not what it was when the job was submitted
├── InputNamesPerson        the header of a data file in a shared unit names a person, and cannot be cleaned
├── InputNotThere           a data file is not in the unit's bucket any more, or may not be read there
├── InputMissing            the task names a file that the job does not have
├── InternalError           a mistake of ours
└── Unheard                 the Brain does not give the job document
"""

from __future__ import annotations

import errno

from mroptimum.errors import ExplainedError

NO_ROOM = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})
"""The numbers of an `OSError` that say that a disk is full."""


class InputChanged(ExplainedError):
    """A data file is not what it was when the job was submitted."""

    code = "input_changed"

    def __init__(self, data_id: str) -> None:
        super().__init__(
            f"The data file {data_id} is not the one that was uploaded: its size or its checksum differs.",
            "Upload the file again, and submit the job with the new one.",
        )


class InputNamesPerson(ExplainedError):
    """The header of a data file in a shared unit names a person, and cannot be cleaned."""

    code = "input_names_person"

    def __init__(self, data_id: str, why: str) -> None:
        super().__init__(
            f"The header of the data file {data_id} may name a person, and could not be cleaned: {why} It was removed "
            "from the shared computing unit.",
            "Clean the file on your machine (`mroptimum anonymise`), upload it again, and submit the job anew.",
        )


class InputNotThere(ExplainedError):
    """A data file is not in the unit's bucket any more, or may not be read there; S3 does not say which."""

    code = "input_not_there"

    def __init__(self, data_id: str) -> None:
        super().__init__(
            f"The data file {data_id} is not in the computing unit's bucket any more, or the worker may not read it.",
            "Upload the file again; if it is still there, run `cloudmr unit check`.",
        )


class InputMissing(ExplainedError):
    """The task names a file that the job does not have."""

    code = "input_missing"

    def __init__(self) -> None:
        super().__init__(
            "The task names a file that is not among the job's data files.",
            "Submit the job again with uploaded data files only.",
        )


class InternalError(ExplainedError):
    """A mistake of ours; the traceback stands in the log of the unit, for its operator."""

    code = "internal_error"

    def __init__(self) -> None:
        super().__init__(
            "The job met an error in the program, not in your data.",
            "Report the job's id to whoever operates the computing unit; its log says more.",
        )


class Unheard(ExplainedError):
    """The Brain does not give the job document."""

    code = "unheard"

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The job document could not be had from CloudMR Brain: {why}.",
            "Check that the computing unit reaches the Brain, and that their clocks agree.",
        )
