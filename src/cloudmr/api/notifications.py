"""/api/notifications: how the caller wants to be told that a job has ended, and by mail that files are soon deleted."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import StringConstraints

from cloudmr.api.access import Owner, TheBrain
from cloudmr.api.bodies import Body, with_examples
from cloudmr.model.notifications import NotificationSettings, NotifyOn
from cloudmr.services.notifications import get_notifications, set_notifications, try_notifications, webhook_secret

router = APIRouter(prefix="/api/notifications", tags=["notifications"])


class NotificationRequest(Body):
    """What is to change; null leaves a setting as it is, an empty `webhook_url` removes the webhook.

    Any `mail` but `never` also brings one before data files or results are deleted from a shared unit.
    """

    model_config = with_examples(
        {"mail": "failure", "webhook": "always", "webhook_url": "https://lab.example.org/cloudmr"}
    )

    mail: NotifyOn | None = None
    webhook: NotifyOn | None = None
    webhook_url: Annotated[str, StringConstraints(max_length=2048)] | None = None


class NotificationAnswer(Body):
    """Which ends of jobs bring a mail and a webhook, where that goes, and the secret that it is signed with."""

    model_config = with_examples(
        {
            "mail": "failure",
            "webhook": "always",
            "webhook_url": "https://lab.example.org/cloudmr",
            "webhook_secret": "whsec_…",
        }
    )

    mail: NotifyOn
    webhook: NotifyOn
    webhook_url: str | None
    webhook_secret: str | None

    @classmethod
    def of(cls, settings: NotificationSettings, secret: str) -> NotificationAnswer:
        """Return settings as JSON has them."""
        return cls(
            mail=settings.mail,
            webhook=settings.webhook,
            webhook_url=settings.webhook_url,
            webhook_secret=secret if settings.webhook_url else None,
        )


class TriedAnswer(Body):
    """The ways by which a message is on its way."""

    model_config = with_examples({"sent": ["mail", "webhook"]})

    sent: list[str]


@router.get("")
def show(caller: Owner, brain: TheBrain) -> NotificationAnswer:
    """Return how the caller is told of the ends of jobs."""
    return NotificationAnswer.of(get_notifications(brain, caller), webhook_secret(brain, caller))


@router.put("")
def change(body: NotificationRequest, caller: Owner, brain: TheBrain) -> NotificationAnswer:
    """Change how the caller is told of the ends of jobs."""
    settings = set_notifications(brain, caller, mail=body.mail, webhook=body.webhook, webhook_url=body.webhook_url)
    return NotificationAnswer.of(settings, webhook_secret(brain, caller))


@router.post("/test")
def try_out(caller: Owner, brain: TheBrain) -> TriedAnswer:
    """Send a message by every way that is set."""
    return TriedAnswer(sent=try_notifications(brain, caller))
