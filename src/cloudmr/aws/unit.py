"""Where a computing unit is in AWS: its account's role, its state machine and its buckets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from cloudmr.errors import UnitUnavailable
from cloudmr.model.units import ComputingUnit
from cloudmr.storage.base import Bucket


@dataclass(frozen=True, kw_only=True)
class AwsUnit:
    """What must be known of a unit to call it. `external_id` is what its role asks for."""

    account_id: str
    region: str
    role_arn: str
    external_id: str = field(repr=False)
    state_machine_arn: str
    buckets: Mapping[Bucket, str] = field(hash=False)

    @classmethod
    def of(cls, unit: ComputingUnit) -> Self:
        """Return where a registered unit is. Raise `UnitUnavailable` for one that is not in AWS."""
        if not (
            unit.aws_account_id
            and unit.region
            and unit.cross_account_role_arn
            and unit.external_id
            and unit.state_machine_arn
        ):
            raise UnitUnavailable(
                f"The computing unit {unit.alias} is not wholly registered: its role or state machine is not known.",
                "Register it again, or choose another computing unit.",
            )
        return cls(
            account_id=unit.aws_account_id,
            region=unit.region,
            role_arn=unit.cross_account_role_arn,
            external_id=unit.external_id,
            state_machine_arn=unit.state_machine_arn,
            buckets={
                Bucket.DATA: unit.data_bucket,
                Bucket.RESULTS: unit.results_bucket,
                Bucket.FAILED: unit.failed_bucket,
            },
        )

    @property
    def partition(self) -> str:
        """The part of AWS it is in: `aws`, `aws-cn`, `aws-us-gov`."""
        return self.state_machine_arn.split(":")[1]

    @property
    def log_group(self) -> str:
        """Where its workers' logs go."""
        return f"/cloudmr/{self.state_machine_arn.rpartition(':')[2]}"

    def execution_arn(self, name: str) -> str:
        """Return the ARN of an execution, which is known before there is one."""
        return f"{self.state_machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
