"""A Brain with its owner, who has one of everything, a friend, who sees one job, and others who have nothing of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from asgi import TestClient
from bench import BRAIN_URL, PASSWORD, Bench, task_of
from cloudmr.api.app import build_app
from cloudmr.model.ids import Kind
from cloudmr.model.limits import Limits
from cloudmr.model.people import Caller
from cloudmr.model.tokens import ACCESS_LIFETIME, Scope, Token, new_secret, secret_hash
from cloudmr.services.delete_data import delete_data
from cloudmr.services.delete_job import delete_job
from cloudmr.services.get_profile import get_profile
from cloudmr.services.personal_tokens import create_token
from cloudmr.services.regions import announce_region
from cloudmr.services.register_account import register_account
from cloudmr.services.settle_job import settle_job
from cloudmr.services.share_job import share_job
from cloudmr.services.upload_data import start_upload
from route_rules import Things


class House:
    """All of them, and the way in."""

    def __init__(self, folder: Path, *, database_url: str = "") -> None:
        # Enough slots that no job of one test keeps those of the next from theirs.
        limits = Limits(n_slots=1000)
        self.bench = Bench(folder, database_url=database_url, limits=limits, is_watched=False)
        self.app = build_app(self.bench.brain, local_storage=self.bench.storage)
        self.client = TestClient(self.app, base_url=BRAIN_URL, raise_server_exceptions=False)
        self._n_people = 0
        self.furnish()

    def furnish(self) -> None:
        """Give the house another owner with one of everything, and another friend; much faster than a new house."""
        self.owner = self.person()
        self.friend = self.person()
        self.things = self._things()

    def person(self, *, is_admin: bool = False) -> Caller:
        self._n_people += 1
        account = register_account(
            self.bench.brain,
            email=f"someone{self._n_people}@example.org",
            password=PASSWORD,
            address=f"198.51.100.{self._n_people}",
        )
        if is_admin:
            with self.bench.brain.database.write() as transaction:
                transaction.accounts.make_admin(account.id)
        return Caller(id=account.id, is_admin=is_admin, token_id="")

    def session(self, caller: Caller | None = None) -> str:
        """Return a token as signing in gives it, the owner's unless somebody else is named."""
        return self.token(caller or self.owner, Scope.ACCOUNT)

    def owner_with_rights(self) -> Caller:
        """Return the owner as an administrator."""
        with self.bench.brain.database.write() as transaction:
            transaction.accounts.make_admin(self.owner.id)
        return replace(self.owner, is_admin=True)

    def token(self, caller: Caller, scope: Scope, **changes: Any) -> str:
        secret = new_secret(self.bench.brain.entropy)
        token_id = self.bench.brain.new_id(Kind.TOKEN)
        token = Token(
            id=token_id,
            owner_id=caller.id,
            session_id=token_id,
            secret_hash=secret_hash(secret),
            scope=scope,
            created_at=self.bench.clock.now,
            expires_at=self.bench.clock.now + ACCESS_LIFETIME,
        )
        with self.bench.brain.database.write() as transaction:
            transaction.tokens.add([replace(token, **changes)])
        return secret

    def _things(self) -> Things:
        bench, owner = self.bench, self.owner
        jobs = [bench.running_job(owner) for _ in range(2)]
        for job in jobs:
            bench.succeed(job)
            settle_job(bench.brain, job.id)
        delete_job(bench.brain, owner, jobs[1].id)
        deleted = bench.data_file(owner)
        delete_data(bench.brain, owner, [deleted.id])
        data_file = bench.data_file(owner)
        upload = start_upload(bench.brain, owner, filename="m", size_bytes=1).view.data_file
        share_job(bench.brain, owner, jobs[0].id, email=get_profile(bench.brain, self.friend).email)
        link = share_job(bench.brain, owner, jobs[0].id)
        assert link.secret is not None
        region = announce_region(bench.brain, owner, jobs[0].id, name="x", description={}, size_bytes=None, sha256=None)
        token = create_token(bench.brain, owner, name="cluster", scope=Scope.READ).token
        return Things(
            data_id=data_file.id,
            upload_id=upload.id,
            deleted_id=deleted.id,
            job_id=jobs[0].id,
            deleted_job_id=jobs[1].id,
            share_id=link.share.id,
            region_id=region.region.id,
            unit_id=bench.own_unit(owner, data_bucket="owners-data").id,
            token_id=token.id,
            user_id=self.person().id,
            secret=link.secret,
            upload_name=upload.upload_id,
            task=task_of(data_file),
            password=PASSWORD,
        )
