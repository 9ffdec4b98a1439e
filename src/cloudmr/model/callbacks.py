r"""How the Brain knows that a message about an attempt at a job came from the unit that works at it.

The secret of an attempt is derived, never stored: HMAC-SHA256 of the Brain's secret key over
`callback|job_id|attempt|key_id`, in hex. A message carries three headers,

    X-CloudMR-Key-Id: which of the Brain's secret keys the attempt's secret comes from
    X-CloudMR-Timestamp: seconds since 1970, at the moment of *this* try
    X-CloudMR-Signature: v1=<hex>

where the signature is HMAC-SHA256, keyed with the secret's text, over
`v1\n{timestamp}\n{job_id}\n{attempt}\n{sha256 of the body in hex}`. The path is left out, because the same Brain
answers with and without a `/Prod` before it; the method too: a document is fetched with the signature of an empty body,
which no report has.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cloudmr.errors import CallbackRefused

KEY_ID_HEADER = "X-CloudMR-Key-Id"
TIMESTAMP_HEADER = "X-CloudMR-Timestamp"
SIGNATURE_HEADER = "X-CloudMR-Signature"
REPLAY_WINDOW_S = 300
"""How far a message's timestamp may lie from the Brain's clock."""

_VERSION = "v1"
_NEXT_STEP = "Sign each try anew with the secret of this attempt; see `cloudmr.model.callbacks`."


def key_id_of(secret_key: bytes) -> str:
    """Return the public name of one of the Brain's secret keys; it tells nothing of the key."""
    return hmac.new(secret_key, b"key-id", hashlib.sha256).hexdigest()[:12]


def derive_secret(secret_key: bytes, *, job_id: str, attempt: int, key_id: str) -> str:
    """Return the secret of one attempt at one job, in hex."""
    return hmac.new(secret_key, f"callback|{job_id}|{attempt}|{key_id}".encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, kw_only=True)
class AttemptKey:
    """What a unit holds to speak for one attempt; its secret is never shown by `repr`."""

    job_id: str
    attempt: int
    key_id: str
    secret: str = field(repr=False)

    def sign(self, body: bytes, *, now: datetime) -> dict[str, str]:
        """Return the headers to send with `body` (empty for a GET) now; sign anew at each try."""
        timestamp = str(int(now.timestamp()))
        return {
            KEY_ID_HEADER: self.key_id,
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: f"{_VERSION}={self._digest(timestamp, body)}",
        }

    def verify(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> None:
        """Raise `CallbackRefused` unless the headers were made by `sign` for this body within the replay window.

        The signature is looked at before the time, so that only a genuine sender learns that its clock is wrong.
        `headers` is looked up by the names above; give a case-insensitive mapping.
        """
        timestamp = headers.get(TIMESTAMP_HEADER, "")
        version, _, digest = headers.get(SIGNATURE_HEADER, "").partition("=")
        if version != _VERSION or not timestamp.isascii() or not timestamp.isdecimal() or len(timestamp) > 12:
            raise CallbackRefused("The message carries no signature that can be read.", _NEXT_STEP)
        if not hmac.compare_digest(digest.encode(), self._digest(timestamp, body).encode()):
            raise CallbackRefused("The signature does not belong to this message.", _NEXT_STEP)
        skew_s = int(timestamp) - int(now.timestamp())
        if abs(skew_s) > REPLAY_WINDOW_S:
            raise CallbackRefused(
                f"The message was signed {abs(skew_s)} s {'after' if skew_s > 0 else 'before'} the Brain's time; "
                f"{REPLAY_WINDOW_S} s are allowed.",
                "Set the clock of the computing unit, and sign each try anew.",
                code="callback_out_of_time",
            )

    def _digest(self, timestamp: str, body: bytes) -> str:
        signed = "\n".join((_VERSION, timestamp, self.job_id, str(self.attempt), hashlib.sha256(body).hexdigest()))
        return hmac.new(self.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
