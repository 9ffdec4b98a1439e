"""What can go wrong between somebody and a unit's storage.

StorageError
├── InvalidKey              a key that no object may have
├── ObjectNotFound          there is no such object
├── ObjectTooLarge          more bytes than the limit that was given
├── ChecksumMismatch        the bytes are not those that were announced
├── UploadNotFound          the upload was never started, or has ended
├── UploadIncomplete        parts are missing, or one between is not of full size
├── SignatureRefused        a signed URL that was altered, is for something else, or has expired
└── RangeNotSatisfiable     a byte range outside the object
"""

from __future__ import annotations

from mroptimum.errors import ExplainedError


class StorageError(ExplainedError):
    """Something between somebody and a unit's storage."""

    code = "storage"


class InvalidKey(StorageError):
    """A key that no object may have."""

    code = "invalid_key"

    def __init__(self, key: str) -> None:
        super().__init__(
            f"{key[:80]!r} cannot be the key of an object.",
            "Use lower-case letters, digits and _ . - in segments joined by /, none of them . or .. .",
        )


class ObjectNotFound(StorageError):
    """There is no such object."""

    code = "object_not_found"

    def __init__(self, key: str) -> None:
        super().__init__(
            f"There is no object {key}.", "It may have been deleted or have outlived its retention; upload it again."
        )


class ObjectTooLarge(StorageError):
    """More bytes than the limit that was given."""

    code = "object_too_large"

    def __init__(self, what: str, limit_bytes: int) -> None:
        super().__init__(f"{what} is larger than {limit_bytes} bytes.", "Send or ask for no more than that at once.")


class ChecksumMismatch(StorageError):
    """The bytes are not those that were announced."""

    code = "checksum_mismatch"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} arrived with other bytes than were announced.", "Send it again.")


class UploadNotFound(StorageError):
    """The upload was never started, or has ended."""

    code = "upload_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such upload; it was never started, or it has ended.", "Start a new upload.")


class UploadIncomplete(StorageError):
    """Parts are missing, or one between is not of full size."""

    code = "upload_incomplete"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The upload cannot be completed: {what}.",
            "Send what is missing; the list of parts shows what has arrived.",
        )


class SignatureRefused(StorageError):
    """A signed URL that was altered, is for something else, or has expired."""

    code = "signature_refused"


class RangeNotSatisfiable(StorageError):
    """A byte range outside the object; `size_bytes` belongs in the answer's `Content-Range: bytes */size`."""

    code = "range_not_satisfiable"

    def __init__(self, size_bytes: int) -> None:
        super().__init__(
            f"The object has {size_bytes} bytes; the range asked for begins beyond them.",
            "Ask for a range within the object, or for all of it.",
        )
        self.size_bytes = size_bytes
