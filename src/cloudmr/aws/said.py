"""AWS's own no, as one error: apart from what talks to AWS, so that whoever explains it needs no boto3."""

from __future__ import annotations

from mroptimum.errors import ExplainedError


class AwsSaid(ExplainedError):
    """A call was refused, or could not be made: AWS's code (or a name of ours for it), its words, and which call."""

    code = "aws_refused"

    def __init__(self, aws_code: str, said: str, operation: str) -> None:
        super().__init__(f"{operation}: {said}", "Read what AWS says; check the profile, the region and the rights.")
        self.aws_code = aws_code
        self.said = said
        self.operation = operation
