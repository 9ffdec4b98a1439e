"""Result packages read back: from a folder or a zip file, trusting nothing that they claim."""

from mroptimum.package.errors import DamagedPackage, NotAPackage, PackageError
from mroptimum.package.files import PackageFiles, opened, opened_archive
from mroptimum.package.reading import ResultPackage, StoredMap, read_package

__all__ = [
    "DamagedPackage",
    "NotAPackage",
    "PackageError",
    "PackageFiles",
    "ResultPackage",
    "StoredMap",
    "opened",
    "opened_archive",
    "read_package",
]
