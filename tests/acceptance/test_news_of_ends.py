"""The end of a real job, told by a signed webhook and by mail."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path

import numpy as np
import pytest

from cloudmr.model.notifications import NotifyOn
from cloudmr.model.webhooks import DELIVERY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, signature_headers
from listener import listening
from mroptimum.flags import Flags
from real_brain import serving
from small_job import raw_data
from waiting import wait_until


@pytest.mark.slow
def test_the_end_of_a_job_is_told(tmp_path: Path, rng: np.random.Generator) -> None:
    raw = raw_data(tmp_path / "Doe^Jane.npz", rng)
    with (
        listening() as receiver,
        serving(tmp_path / "brain", CLOUDMR_PRIVATE_WEBHOOKS="yes") as brain,
        brain.person() as client,
    ):
        settings = client.notifications.change(mail=NotifyOn.ALWAYS, webhook_url=f"{receiver.url}/hook")
        assert settings.webhook_secret is not None
        uploaded = client.upload(raw)
        job = client.submit(Flags().document(uploaded.reference, None), alias="knee of Jane")
        list(client.follow(job.job_id))

        heard = receiver.next("/hook")
        told = json.loads(heard.body)
        assert (told["event"], told["jobId"], told["status"]) == ("job_ended", job.job_id, "succeeded")
        sent_at = datetime.fromtimestamp(int(heard.headers[TIMESTAMP_HEADER]), UTC)
        expected = signature_headers(
            settings.webhook_secret, delivery=heard.headers[DELIVERY_HEADER], body=heard.body, now=sent_at
        )
        assert heard.headers[SIGNATURE_HEADER] == expected[SIGNATURE_HEADER]

        folder = tmp_path / "brain" / "home" / "outbox"
        wait_until(lambda: list(folder.glob("*.eml")), what="the mail")
        [mail] = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in folder.glob("*.eml")]
        assert job.job_id in mail["Subject"]
        for message in (heard.body.decode(), str(mail)):
            assert "Jane" not in message
