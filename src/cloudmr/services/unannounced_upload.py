"""Uploads of existing clients: every URL at once, for parts that nobody announced, and their entity tags at the end.

Their parts are as safe from damage as TCP makes them; the data file's checksum is that of what arrived.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cloudmr.errors import Conflict, NotFound
from cloudmr.model.data_files import DataState
from cloudmr.model.people import Caller
from cloudmr.services.brain import Brain
from cloudmr.services.ownership import own_data_file, unit_of
from cloudmr.services.upload_data import StartedUpload, complete_upload
from cloudmr.services.views import DataView
from cloudmr.storage.base import PART_SIZE_BYTES, UNHURRIED_URL_LIFETIME_S, Bucket, SignedRequest


def sign_all_parts(brain: Brain, started: StartedUpload) -> Sequence[SignedRequest]:
    """Return a PUT for every part of an upload that was just begun, good for half a day.

    In AWS they are good for as long as the session they are signed in: an hour at most, and a quarter at least.
    """
    data_file, unit = started.view.data_file, started.view.unit
    storage = brain.connect(unit).storage
    return [
        storage.sign_part(
            Bucket.DATA,
            data_file.key,
            data_file.upload_id,
            number,
            None,
            lifetime_s=UNHURRIED_URL_LIFETIME_S,
        )
        for number in range(1, data_file.n_parts(PART_SIZE_BYTES) + 1)
    ]


def finish_upload(brain: Brain, caller: Caller, *, key: str, upload_id: str, etags: Mapping[int, str]) -> DataView:
    """Join the parts of an upload whose entity tags the client was given; safe to repeat.

    Raises `NotFound`, `Conflict` (`part_changed`) where another part has arrived than the client sent, and what
    `complete_upload` raises.
    """
    data_id = key.removeprefix("uploads/")
    with brain.database.read() as transaction:
        data_file = own_data_file(transaction, caller, data_id)
        unit = unit_of(transaction, data_file)
    if data_file.upload_id != upload_id or data_file.key != key:
        raise NotFound("upload")
    if data_file.state is DataState.UPLOADING:
        parts = brain.connect(unit).storage.list_parts(Bucket.DATA, key, upload_id)
        arrived = {part.number: part.etag.strip('"') for part in parts}
        if {number: etag.strip('"') for number, etag in etags.items()} != arrived:
            raise Conflict(
                "The parts that arrived are not those that were sent.",
                "Send the parts again, then finish the upload.",
                code="part_changed",
            )
    return complete_upload(brain, caller, data_id)
