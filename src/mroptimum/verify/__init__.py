"""Is a package what was written, and does its task give the same maps again?"""

from mroptimum.verify.agreement import Agreement, MapAgreement, agreement
from mroptimum.verify.errors import VerificationError
from mroptimum.verify.integrity import FileProblem, FileState, Integrity, check_integrity
from mroptimum.verify.repetition import Repetition, repeat

__all__ = [
    "Agreement",
    "FileProblem",
    "FileState",
    "Integrity",
    "MapAgreement",
    "Repetition",
    "VerificationError",
    "agreement",
    "check_integrity",
    "repeat",
]
