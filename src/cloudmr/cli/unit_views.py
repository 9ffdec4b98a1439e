"""How computing units, findings, permissions and regions look in text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cloudmr.cli.layout import Record, Table, in_bytes, local_time

if TYPE_CHECKING:
    from cloudmr.client.answers import ComputingUnit
    from cloudmr.client.regions import Region
    from cloudmr.client.unit_answers import Permission, UnitCheck


def unit_record(unit: ComputingUnit) -> Record:
    """Return everything a person may want to know of one unit."""
    return Record(
        fields=(
            ("id", unit.computing_unit_id),
            ("name", unit.alias),
            ("mode", unit.mode),
            ("provider", unit.provider),
            ("status", unit.status),
            ("because", unit.status_reason or ""),
            ("default", "yes" if unit.is_default else ""),
            ("verified for SNR", local_time(unit.snr_verified_at)),
            ("checked", local_time(unit.last_checked_at)),
            ("AWS account", unit.aws_account_id or ""),
            ("region", unit.region or ""),
            ("state machine", unit.state_machine_arn or ""),
            ("buckets", ", ".join(filter(None, (unit.data_bucket, unit.results_bucket, unit.failed_bucket)))),
            ("since", local_time(unit.created_at)),
        )
    )


def finding_table(check: UnitCheck) -> Table:
    """Return what was found in a unit, one look a row."""
    return Table(
        columns=("look", "came to", "found", "to do"),
        rows=tuple((found.check, found.outcome, found.message, found.fix) for found in check.findings),
    )


def permission_table(permissions: Iterable[Permission]) -> Table:
    """Return what can be done in a unit, one thing a row."""
    return Table(
        columns=("action", "on", "declared", "measured", "what for", "switch"),
        rows=tuple(
            (
                each.action,
                each.resource,
                "yes" if each.is_declared else "no",
                each.measured.replace("_", " "),
                each.purpose,
                each.switch or "",
            )
            for each in permissions
        ),
    )


def region_table(regions: Iterable[Region]) -> Table:
    """Return regions of interest, one a row."""
    return Table(
        columns=("id", "name", "mask", "drawn"),
        rows=tuple(
            (region.region_id, region.name, in_bytes(region.size_bytes or 0), local_time(region.created_at))
            for region in regions
        ),
    )
