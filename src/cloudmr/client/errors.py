"""Every error of the client that a person can meet.

ExplainedError (mroptimum)
└── ClientError
    ├── InvalidAddress      what was given as the Brain's address is none
    ├── BrainUnreachable    no answer, after several tries
    ├── StrangeAnswer       an answer, but not CloudMR Brain's
    ├── Refused             the Brain's own no, in its own words
    ├── SignInNeeded        no token to show, or one that is no longer good
    ├── LocalFileError      a file of this machine cannot be read or written, or changed meanwhile
    ├── HeaderNamesPerson   a raw file's header is filled with what may name a person
    ├── TransferFailed      the storage does not take or give the bytes
    ├── DamagedTransfer     the bytes that came are not those that were announced
    └── NoResult            the job left nothing to download
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mroptimum.errors import ExplainedError, Explanation


class ClientError(ExplainedError):
    """Something between this machine and CloudMR Brain."""

    code = "client"


class InvalidAddress(ClientError):
    """What was given as the Brain's address is none."""

    code = "invalid_address"

    def __init__(self) -> None:
        super().__init__(
            "This is not the address of a CloudMR Brain.", "Give one such as https://brain.example.org, without a path."
        )


class BrainUnreachable(ClientError):
    """No answer, after several tries."""

    code = "brain_unreachable"

    def __init__(self, server: str, cause: str) -> None:
        super().__init__(
            f"CloudMR Brain at {server} does not answer: {cause}.",
            "Check the address and the network; `cloudmr serve` starts a Brain on this machine.",
        )


class StrangeAnswer(ClientError):
    """An answer, but not CloudMR Brain's."""

    code = "strange_answer"

    def __init__(self, server: str, what: str) -> None:
        super().__init__(
            f"What answers at {server} does not speak as CloudMR Brain does: {what}.",
            "Check the address, and that this program and the Brain are of about the same age.",
        )


class Refused(ClientError):
    """The Brain's own no, in its own words; `status` is that of HTTP."""

    code = "refused"

    def __init__(self, explanation: Explanation, *, status: int) -> None:
        super().__init__(explanation["message"], explanation["next_step"], code=explanation["code"])
        self.status = status


class SignInNeeded(ClientError):
    """No token to show, or one that is no longer good."""

    code = "not_signed_in"

    def __init__(self, message: str = "You are not signed in.", *, code: str | None = None) -> None:
        super().__init__(message, "Sign in with `cloudmr login`, or set CLOUDMR_TOKEN.", code=code)


class LocalFileError(ClientError):
    """A file of this machine cannot be read or written, or changed meanwhile."""

    code = "local_file"

    @classmethod
    def of(cls, path: Path, error: OSError) -> LocalFileError:
        """Return what the operating system said of a path."""
        return cls(
            f"{path}: {error.strerror or error}.", "Check the file's name, the rights, and the space that is left."
        )


class HeaderNamesPerson(ClientError):
    """A raw file's header is filled with what may name a person; `fields` are names, never values."""

    code = "header_names_person"

    def __init__(self, filename: str, fields: Sequence[str], next_step: str) -> None:
        super().__init__(
            f"The header of {filename} is filled with what may name a person: {', '.join(fields)}. "
            "Nothing was uploaded.",
            next_step,
        )
        self.fields = tuple(fields)


class TransferFailed(ClientError):
    """The storage does not take or give the bytes."""

    code = "transfer_failed"

    def __init__(self, what: str, cause: str) -> None:
        super().__init__(f"{what} failed: {cause}.", "Run the command again; it goes on where it stopped.")


class DamagedTransfer(ClientError):
    """The bytes that came are not those that were announced."""

    code = "damaged_transfer"

    def __init__(self, name: str, what: str) -> None:
        super().__init__(
            f"{name} arrived damaged: {what}. It was not kept.",
            "Run the command again; if it happens again, the object itself is damaged.",
        )


class NoResult(ClientError):
    """The job left nothing to download."""

    code = "no_result"

    def __init__(self, job_id: str) -> None:
        super().__init__(
            f"The job {job_id} left nothing that could be downloaded.",
            f"`cloudmr job show {job_id}` says how it ended, `cloudmr job log {job_id}` what its worker said.",
        )
