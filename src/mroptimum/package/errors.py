"""What can be wrong with a result package that is read back.

PackageError
├── NotAPackage         there is no result package, or none with a result in it
└── DamagedPackage      a package whose files are missing, cut short, contradictory or beyond all bounds
"""

from __future__ import annotations

from mroptimum.errors import ExplainedError

GET_IT_AGAIN = "Download or copy the package again."


class PackageError(ExplainedError):
    """A result package cannot be used."""

    code = "package"


class NotAPackage(PackageError):
    """There is no result package, or none with a result in it."""

    code = "not_a_package"


class DamagedPackage(PackageError):
    """A package whose files are missing, cut short, contradictory or beyond all bounds."""

    code = "damaged_package"
