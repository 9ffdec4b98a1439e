"""The only place that joins ports to implementations: settings become a running Brain."""

from __future__ import annotations

import gc
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager, nullcontext
from dataclasses import replace
from datetime import timedelta
from importlib.util import find_spec

import uvicorn
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from cloudmr.api.app import Lifespan, build_app
from cloudmr.compute import machine
from cloudmr.compute.brain_address import announce_address
from cloudmr.compute.local import LocalCompute
from cloudmr.connections import PromptConnection, keep_freed_memory, max_connections, raise_file_limit
from cloudmr.database.base import Database
from cloudmr.database.engine import is_sqlite, make_engine, sqlite_file
from cloudmr.database.migrate import is_up_to_date, migrate
from cloudmr.database.timing import time_statements
from cloudmr.delivery.mail import MailByServer, MailInFolder
from cloudmr.delivery.webhooks import Webhooks
from cloudmr.errors import SettingsError, UnitUnavailable
from cloudmr.home import load_secret_key, load_unit_id, make_home, only_brain
from cloudmr.logs import configure_logging
from cloudmr.metrics import Metrics
from cloudmr.model.addresses import origin_of
from cloudmr.model.estimates import most_memory_bytes
from cloudmr.model.ids import Kind
from cloudmr.model.messages import MessageKind
from cloudmr.model.units import ComputingUnit
from cloudmr.probes.local import LocalProbe
from cloudmr.services.background import Chore, background
from cloudmr.services.brain import Brain, Connect, UnitLink
from cloudmr.services.passwords import Passwords
from cloudmr.services.provide_local_unit import provide_local_unit
from cloudmr.settings import Settings
from cloudmr.storage.local import LocalStorage
from cloudmr.web.site import install_pages

_INSTALL_AWS = "pip install 'mroptimum[server,aws]'"
_LEFTOVERS_KEPT = timedelta(days=30)
"""Long after every job was settled, and every upload given up."""
_LOCAL_SENDER = "CloudMR Brain <cloudmr@localhost>"
"""Of mails that go nowhere but into a folder."""
_ADDRESS_FILE = "brain-address"
_BACKLOG = 2048
"""Connections that may wait to be accepted."""
_SHUTDOWN_S = 10
"""How long requests may take to end when the server does."""


def create_app(settings: Settings) -> FastAPI:
    """Return the application for these settings; the port must be known (not 0), because links carry it.

    The home folder and its secret key are made here. The database is migrated, the lock taken and the background work
    begun when the application starts, and ended with it; jobs that run go on without it.
    """
    brain, storage, chores = _join(settings)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        # Both ends wait for the database and for threads, so they are kept off the event loop.
        alive = _alive(settings, brain, chores)
        await run_in_threadpool(alive.__enter__)
        try:
            yield
        finally:
            await run_in_threadpool(alive.__exit__, None, None, None)

    return _application(settings, brain, storage, lifespan)


def serve(settings: Settings, *, ready: Callable[[str], object] | None = None) -> None:
    """Serve until the process is told to end (SIGINT, SIGTERM). `ready` is told the address once requests are answered.

    Port 0 is any free port. Raises `SettingsError` where it cannot listen, `Conflict` where the home is in use.
    """
    raise_file_limit()
    keep_freed_memory()
    configure_logging(format_=settings.log_format, level=settings.log_level)
    with _server(settings) as (server, url):
        server.started_callbacks.append(_leave_garbage_of_the_start)
        if ready is not None:
            server.started_callbacks.append(lambda: ready(url))
        server.run()


@contextmanager
def running(settings: Settings) -> Iterator[str]:
    """Serve in a thread while the block runs, and yield the address. Raises what `serve` raises."""
    with _server(settings) as (server, url):
        started = threading.Event()
        server.started_callbacks.append(started.set)
        thread = threading.Thread(target=server.run, name="cloudmr-server")
        thread.start()
        try:
            while not started.wait(0.1):
                if not thread.is_alive():
                    raise RuntimeError("the server ended before it answered; its log says why")
            yield url
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def on_the_server(settings: Settings) -> Iterator[Brain]:
    """Give a command on the server the Brain's database, whether a Brain runs or not; nothing is begun.

    Raises `SettingsError`, `Conflict` where a Brain of an earlier release runs.
    """
    brain, _, _ = _join(settings)
    with ExitStack() as stack:
        stack.callback(brain.database.close)
        is_file = is_sqlite(settings.database_url)
        if (is_file and not sqlite_file(settings.database_url).exists()) or not is_up_to_date(brain.database):
            if is_file:
                stack.enter_context(only_brain(sqlite_file(settings.database_url)))
            migrate(brain.database)
        yield brain


@contextmanager
def _server(settings: Settings) -> Iterator[tuple[_Server, str]]:
    with closing(_listen(settings.host, settings.port)) as listener:
        settings = settings.evolve(port=listener.getsockname()[1])
        brain, storage, chores = _join(settings)
        app = _application(settings, brain, storage)
        with _alive(settings, brain, chores):
            yield _Server(app, listener), settings.public_url


def _application(settings: Settings, brain: Brain, storage: LocalStorage, lifespan: Lifespan = nullcontext) -> FastAPI:
    app = build_app(
        brain,
        local_storage=storage,
        lifespan=lifespan,
        trusted_proxies=settings.trusted_proxies,
        metrics_token=settings.metrics_token,
        allowed_origins=settings.allowed_origins,
    )
    install_pages(app)
    return app


class _Server(uvicorn.Server):
    """A server on a socket that listens already; it ends streams before it waits for requests to end."""

    def __init__(self, app: FastAPI, listener: socket.socket) -> None:
        # No access log: the paths of signed requests are good for what they sign.
        config = uvicorn.Config(
            app,
            access_log=False,
            log_config=None,
            loop="asyncio",
            http=PromptConnection.behind(app.state.trusted_proxies),
            limit_concurrency=max_connections(),
            # Whoever connects from this machine could otherwise say to be anybody, and guess passwords as somebody new.
            proxy_headers=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=_SHUTDOWN_S,
        )
        super().__init__(config)
        self.started_callbacks: list[Callable[[], object]] = []
        self._app = app
        self._listener = listener

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        super().run(sockets=sockets or [self._listener])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for callback in self.started_callbacks:
            callback()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.state.stopping.set()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn would raise the signal again at the end, and so end the process before the Brain has closed its books.
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _leave_garbage_of_the_start() -> None:
    """Look for no garbage any more among what was loaded, which is most of what there is, and stays."""
    gc.collect()
    gc.freeze()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        # Connections inherit it. Without, the end of each answer waits 40 ms for the client to confirm its beginning.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except OSError as error:
        raise SettingsError(
            f"CloudMR Brain cannot listen at {host}, port {port}: {error.strerror}.",
            "Choose another port (--port or CLOUDMR_PORT; 0 is any free one), or end what listens there.",
            code="cannot_listen",
        ) from error


def _join(settings: Settings) -> tuple[Brain, LocalStorage, Sequence[Chore]]:
    make_home(settings.home)
    secret_key = settings.secret_key or _own_secret_key(settings)
    storage = LocalStorage(settings.storage, base_url=f"{settings.public_url}/objects", secret_key=secret_key)
    compute = LocalCompute(
        settings.home / "unit", storage_root=settings.storage, address_file=settings.home / _ADDRESS_FILE
    )
    probe = LocalProbe(storage_root=settings.storage, run_root=settings.home / "unit")
    here = UnitLink(
        storage=storage,
        compute=compute,
        probe=probe,
        brain_url=settings.local_url,
        storage_origins=frozenset({origin_of(settings.public_url)}),
    )
    engine = make_engine(settings.database_url)
    metrics = Metrics()
    time_statements(engine, metrics.statement_executed)
    brain = Brain(
        database=Database(engine),
        connect=_connect(here if settings.has_local_unit else None, _in_aws(settings)),
        passwords=Passwords(),
        secret_key=secret_key,
        limits=replace(settings.limits, most_memory_bytes=most_memory_bytes(machine.memory_bytes(), settings.n_slots)),
        public_url=settings.public_url,
        carriers={
            MessageKind.MAIL: MailByServer(settings.mail_server)
            if settings.mail_server
            else MailInFolder(settings.mail_folder, sender=_LOCAL_SENDER),
            MessageKind.WEBHOOK: Webhooks(allows_private=settings.allows_private_webhooks),
        },
        confirms_addresses=settings.mail_server is not None,
        allows_private_webhooks=settings.allows_private_webhooks,
        operator=settings.operator,
        metrics=metrics,
        is_private_url_allowed=settings.is_private_url_allowed,
    )
    chores = (
        lambda: storage.remove_leftovers(before=brain.now() - _LEFTOVERS_KEPT),
        lambda: compute.remove_ended(before=brain.now() - _LEFTOVERS_KEPT),
    )
    return brain, storage, chores


def _own_secret_key(settings: Settings) -> bytes:
    if not settings.has_local_unit:
        raise SettingsError(
            "Brains that share no home need one secret key, or each refuses what another one signed.",
            "Set CLOUDMR_SECRET_KEY to the same value for all of them.",
        )
    return load_secret_key(settings.home)


@contextmanager
def _alive(settings: Settings, brain: Brain, chores: Sequence[Chore]) -> Iterator[None]:
    """Hold the home, bring the database to its newest shape, and work in the background while the block runs."""
    with ExitStack() as stack:
        if is_sqlite(settings.database_url):
            stack.enter_context(only_brain(sqlite_file(settings.database_url)))
        stack.callback(brain.database.close)
        if not brain.database.is_answering():
            raise SettingsError("The database does not answer.", "Check DATABASE_URL, and whether the database runs.")
        migrate(brain.database)
        if settings.has_local_unit:
            announce_address(settings.home / _ADDRESS_FILE, settings.local_url)
            provide_local_unit(brain, unit_id=_unit_id(settings, brain))
        stack.enter_context(background(brain, chores=chores))
        yield


def _unit_id(settings: Settings, brain: Brain) -> str | None:
    if is_sqlite(settings.database_url):
        return None
    return load_unit_id(settings.home, lambda: brain.new_id(Kind.UNIT))


def _connect(here: UnitLink | None, in_aws: Connect) -> Connect:
    def connect(unit: ComputingUnit) -> UnitLink:
        if unit.aws_account_id is not None:
            return in_aws(unit)
        if here is not None and unit.is_this_machine:
            return here
        raise UnitUnavailable(
            f"The computing unit {unit.alias} cannot be reached from here.", "Choose another computing unit."
        )

    return connect


def _in_aws(settings: Settings) -> Connect:
    """Return the way to units in AWS accounts. boto3 is loaded when the first of them is wanted."""
    if settings.principal_arn is not None and find_spec("boto3") is None:
        raise SettingsError(
            "CLOUDMR_BRAIN_PRINCIPAL_ARN is set, and what reaches AWS is not installed.",
            f"Install it ({_INSTALL_AWS}), or unset CLOUDMR_BRAIN_PRINCIPAL_ARN.",
        )
    lock = threading.Lock()
    ways: list[Connect] = []

    def connect(unit: ComputingUnit) -> UnitLink:
        with lock:
            if not ways:
                try:
                    from cloudmr.aws_units import AwsUnits
                except ModuleNotFoundError as error:
                    raise UnitUnavailable(
                        f"The computing unit {unit.alias} is in AWS, and what reaches AWS is not installed here.",
                        f"The operator of CloudMR Brain installs it: {_INSTALL_AWS}",
                    ) from error
                ways.append(AwsUnits(public_url=settings.public_url).connect)
        return ways[0](unit)

    return connect
