"""What an operator may set, and where each value came from: the only reader of the environment."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from cloudmr.delivery.mail import MailServer
from cloudmr.errors import SettingsError
from cloudmr.logs import LogFormat
from cloudmr.model.limits import Limits
from cloudmr.model.proxies import Networks, parse_networks
from cloudmr.model.registration import Operator

_MIN_SECRET_LENGTH = 32
_NOT_SHOWN = "(set)"
_NOT_SET = "(not set)"


@dataclass(frozen=True, kw_only=True)
class SettingRow:
    """One setting for people to read, without secrets; `source` is `environment`, `command line` or `default`."""

    name: str
    value: str
    source: str
    meaning: str


@dataclass(frozen=True, kw_only=True)
class _Variable:
    """One environment variable: which field of `Settings` it fills, how it is read, and what it means."""

    name: str
    field: str
    parse: Callable[[str], Any]
    meaning: str
    is_secret: bool = False


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that can be set. What is None is derived from `home`, `host` and `port`."""

    home: Path
    host: str = "127.0.0.1"
    port: int = 8000
    given_database_url: str | None = field(default=None, repr=False)
    given_public_url: str | None = None
    given_storage: Path | None = None
    secret_key: bytes | None = field(default=None, repr=False)
    has_local_unit: bool = True
    n_slots: int = Limits.n_slots
    n_running_each: int = Limits.n_running_each
    n_queued_each: int = Limits.n_queued_each
    n_monthly_each: int = Limits.n_monthly_each
    input_days: int = 7
    result_days: int = 30
    undo_days: int = 7
    max_upload_bytes: int = Limits.max_upload_bytes
    max_stored_bytes_each: int = Limits.max_stored_bytes_each
    mail_server: MailServer | None = field(default=None, repr=False)
    trusted_proxies: Networks = ()
    allows_private_webhooks: bool = False
    operator_account_id: str | None = None
    principal_arn: str | None = None
    metrics_token: str | None = field(default=None, repr=False)
    log_format: LogFormat = LogFormat.TEXT
    log_level: str = "INFO"
    allowed_origins: tuple[str, ...] = ()
    image_repository: str | None = None
    image_regions: tuple[str, ...] = Operator.image_regions
    template_url: str | None = None
    is_private_url_allowed: bool = False
    sources: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read settings. Raises `SettingsError` for the first value that cannot be used, with its variable's name."""
        values: dict[str, Any] = {"home": Path.home() / ".cloudmr"}
        sources = {}
        for variable in _VARIABLES:
            text = environment.get(variable.name, "")
            if text:
                values[variable.field] = _parsed(variable, text)
                sources[variable.field] = "environment"
        return cls(**values, sources=sources)

    def evolve(self, **changes: Any) -> Self:
        """Return these settings with others in their place, as a command line gives them."""
        sources = {**self.sources, **dict.fromkeys(changes, "command line")}
        return dataclasses.replace(self, **changes, sources=sources)

    @property
    def database_url(self) -> str:
        """Where the Brain remembers."""
        return self.given_database_url or f"sqlite:///{self.home / 'brain.sqlite'}"

    @property
    def storage(self) -> Path:
        """Where the objects of the unit on this machine lie."""
        return self.given_storage or self.home / "storage"

    @property
    def mail_folder(self) -> Path:
        """Where mails are written to that there is no server for."""
        return self.home / "outbox"

    @property
    def local_url(self) -> str:
        """The address at which this machine reaches the Brain."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104 - compared, not bound
        return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{self.port}"

    @property
    def public_url(self) -> str:
        """The address at which people and units elsewhere reach the Brain: the one source of links."""
        return self.given_public_url or self.local_url

    @property
    def limits(self) -> Limits:
        """How much of the shared place anybody gets."""
        return Limits(
            n_slots=self.n_slots,
            n_running_each=self.n_running_each,
            n_queued_each=self.n_queued_each,
            n_monthly_each=self.n_monthly_each,
            inputs_kept=timedelta(days=self.input_days) if self.input_days else None,
            results_kept=timedelta(days=self.result_days) if self.result_days else None,
            undo=timedelta(days=self.undo_days),
            max_upload_bytes=self.max_upload_bytes,
            max_stored_bytes_each=self.max_stored_bytes_each,
        )

    @property
    def operator(self) -> Operator:
        """Who this Brain is in AWS."""
        return Operator(
            account_id=self.operator_account_id,
            principal_arn=self.principal_arn,
            image_repository=self.image_repository,
            image_regions=self.image_regions,
            template_url=self.template_url,
        )

    def describe(self) -> Iterator[SettingRow]:
        """Yield a row for each setting, with where its value came from and without secrets."""
        for variable in _VARIABLES:
            yield SettingRow(
                name=variable.name,
                value=self._shown(variable),
                source=self.sources.get(variable.field, "default"),
                meaning=variable.meaning,
            )

    def _shown(self, variable: _Variable) -> str:
        if variable.name == "CLOUDMR_SMTP_URL":
            return (
                f"{self.mail_server.host}:{self.mail_server.port}"
                if self.mail_server
                else f"(mails go to {self.mail_folder})"
            )
        if variable.is_secret:
            if getattr(self, variable.field):
                return _NOT_SHOWN
            return f"(kept in {self.home / 'secret-key'})" if variable.field == "secret_key" else _NOT_SET
        found = getattr(self, variable.field.removeprefix("given_"))
        if found is None:
            return _NOT_SET
        if isinstance(found, bool):
            return "on" if found else "off"
        value = ", ".join(map(str, found)) if isinstance(found, tuple) else str(found)
        return _without_password(value) if variable.name == "DATABASE_URL" else value


def _parsed(variable: _Variable, text: str) -> Any:
    try:
        return variable.parse(text)
    except ValueError as error:
        shown = "its value" if variable.is_secret or variable.name == "DATABASE_URL" else repr(text)
        raise SettingsError(
            f"{variable.name} cannot be {shown}: {error}.", f"Set {variable.name} anew, or unset it for the default."
        ) from None


def _without_password(url: str) -> str:
    url = re.sub(r"(?<=[?&]password=)[^&]*", "…", url)
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", ":…@", 1)))


def _folder(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _whole_number(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", text) or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low} to {high} is needed")
        return int(text)

    return parse


def _on_or_off(text: str) -> bool:
    if text not in {"on", "off"}:
        raise ValueError("on or off is needed")
    return text == "on"


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("an address such as https://brain.example.org is needed")
    return text.rstrip("/")


def _database(text: str) -> str:
    if not text.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        raise ValueError("sqlite:///… or postgresql://… is needed")
    return text


def _secret(text: str) -> bytes:
    if len(text) < _MIN_SECRET_LENGTH:
        raise ValueError(f"at least {_MIN_SECRET_LENGTH} characters are needed")
    return text.encode()


def _mail_server(text: str) -> MailServer:
    parts = urlsplit(text)
    options = dict(parse_qsl(parts.query, strict_parsing=True) if parts.query else ())
    sender, starttls = options.pop("from", ""), options.pop("starttls", "required")
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or "@" not in parseaddr(sender)[1]:
        raise ValueError("smtp(s)://user:password@host:port?from=name@example.org is needed")
    if options or parts.path.strip("/") or starttls not in {"required", "no"} or not sender.isprintable():
        raise ValueError("nothing but from=… and starttls=no can follow the port")
    is_plain = parts.scheme == "smtp" and starttls == "no"
    if is_plain and parts.password is not None:
        raise ValueError("a password needs smtps:// or STARTTLS")
    return MailServer(
        host=parts.hostname,
        port=parts.port or (465 if parts.scheme == "smtps" else 587),
        sender=sender,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        is_encrypted=parts.scheme == "smtps",
        is_plain=is_plain,
    )


def _yes_or_no(text: str) -> bool:
    if text.lower() not in {"yes", "no", "true", "false", "1", "0"}:
        raise ValueError("yes or no is needed")
    return text.lower() in {"yes", "true", "1"}


def _long_enough(text: str) -> str:
    if len(text) < _MIN_SECRET_LENGTH or not text.isascii() or not text.isprintable():
        raise ValueError(f"at least {_MIN_SECRET_LENGTH} characters are needed")
    return text


def _log_format(text: str) -> LogFormat:
    try:
        return LogFormat(text.lower())
    except ValueError:
        raise ValueError("text or json is needed") from None


def _log_level(text: str) -> str:
    if text.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ValueError("DEBUG, INFO, WARNING or ERROR is needed")
    return text.upper()


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(filter(None, (origin.strip() for origin in text.split(","))))
    for origin in origins:
        if urlsplit(_web_address(origin)).path:
            raise ValueError("addresses such as https://page.example.org, by commas, are needed")
    return tuple(origin.rstrip("/") for origin in origins)


def _account(text: str) -> str:
    if not re.fullmatch(r"[0-9]{12}", text):
        raise ValueError("the twelve digits of an AWS account are needed")
    return text


def _principal(text: str) -> str:
    if not re.fullmatch(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+", text):
        raise ValueError("the ARN of an IAM role is needed")
    return text


def _repository(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)+(@sha256:[0-9a-f]{64})?", text):
        raise ValueError("registry/name is needed, with @sha256:… behind it or without")
    return text


def _regions(text: str) -> tuple[str, ...]:
    regions = tuple(filter(None, (region.strip() for region in text.split(","))))
    if not regions or not all(re.fullmatch(r"[a-z]{2}(-[a-z]+)+-[0-9]", region) for region in regions):
        raise ValueError("names of AWS regions, by commas, are needed")
    return regions


def _template(text: str) -> str:
    # The console takes a template from S3 only.
    host = urlsplit(_web_address(text)).hostname or ""
    if not text.startswith("https://") or not re.fullmatch(r"(.+\.)?s3[.-].*amazonaws\.com(\.cn)?", host):
        raise ValueError("the https:// address of an object in S3 is needed")
    return text


def _host(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.:_-]+", text):
        raise ValueError("a name or an address of this machine is needed")
    return text


_VARIABLES = (
    _Variable(
        name="CLOUDMR_HOME",
        field="home",
        parse=_folder,
        meaning="Folder of everything a Brain on one machine keeps.",
    ),
    _Variable(name="DATABASE_URL", field="given_database_url", parse=_database, meaning="Where the Brain remembers."),
    _Variable(
        name="CLOUDMR_STORAGE",
        field="given_storage",
        parse=_folder,
        meaning="Folder of the objects of the unit on this machine.",
    ),
    _Variable(
        name="CLOUDMR_SECRET_KEY",
        field="secret_key",
        parse=_secret,
        meaning="What links and messages are signed with; by default made at the first start.",
        is_secret=True,
    ),
    _Variable(
        name="CLOUDMR_PUBLIC_URL",
        field="given_public_url",
        parse=_web_address,
        meaning="Address at which people and units elsewhere reach the Brain.",
    ),
    _Variable(
        name="CLOUDMR_LOCAL_UNIT",
        field="has_local_unit",
        parse=_on_or_off,
        meaning="Whether this machine is a computing unit, too; off for Brains on several machines.",
    ),
    _Variable(name="CLOUDMR_HOST", field="host", parse=_host, meaning="Address of this machine to listen at."),
    _Variable(
        name="CLOUDMR_PORT",
        field="port",
        parse=_whole_number(0, 65535),
        meaning="Port to listen at; 0 is any free one.",
    ),
    _Variable(
        name="CLOUDMR_SLOTS",
        field="n_slots",
        parse=_whole_number(1, 1000),
        meaning="Jobs that run at once on this machine.",
    ),
    _Variable(
        name="CLOUDMR_RUNNING_EACH",
        field="n_running_each",
        parse=_whole_number(1, 1000),
        meaning="Jobs of one person that run at once on the shared unit.",
    ),
    _Variable(
        name="CLOUDMR_QUEUED_EACH",
        field="n_queued_each",
        parse=_whole_number(1, 100_000),
        meaning="Jobs of one person that wait for the shared unit.",
    ),
    _Variable(
        name="CLOUDMR_MONTHLY_EACH",
        field="n_monthly_each",
        parse=_whole_number(0, 1_000_000),
        meaning="Jobs that one person submits to the shared unit in a calendar month.",
    ),
    _Variable(
        name="CLOUDMR_INPUT_DAYS",
        field="input_days",
        parse=_whole_number(0, 36_500),
        meaning="Days that data files are kept in the shared unit; 0 is for ever.",
    ),
    _Variable(
        name="CLOUDMR_RESULT_DAYS",
        field="result_days",
        parse=_whole_number(0, 36_500),
        meaning="Days that results are kept in the shared unit; 0 is for ever.",
    ),
    _Variable(
        name="CLOUDMR_UNDO_DAYS",
        field="undo_days",
        parse=_whole_number(0, 36_500),
        meaning="Days in which what was deleted, or has expired, can be brought back.",
    ),
    _Variable(
        name="CLOUDMR_MAX_UPLOAD_BYTES",
        field="max_upload_bytes",
        parse=_whole_number(1, 10**12),
        meaning="Largest file that can be uploaded.",
    ),
    _Variable(
        name="CLOUDMR_STORED_BYTES_EACH",
        field="max_stored_bytes_each",
        parse=_whole_number(1, 10**15),
        meaning="Size of all data files of one person in the shared unit.",
    ),
    _Variable(
        name="CLOUDMR_SMTP_URL",
        field="mail_server",
        parse=_mail_server,
        meaning="Mail server: smtp(s)://user:password@host:port?from=name@example.org; without one, mails are files.",
        is_secret=True,
    ),
    _Variable(
        name="CLOUDMR_TRUSTED_PROXIES",
        field="trusted_proxies",
        parse=parse_networks,
        meaning="Addresses or networks, by commas, of proxies that are believed about who sent a request.",
    ),
    _Variable(
        name="CLOUDMR_PRIVATE_WEBHOOKS",
        field="allows_private_webhooks",
        parse=_yes_or_no,
        meaning="Whether webhooks may go to private addresses, and without encryption.",
    ),
    _Variable(
        name="CLOUDMR_METRICS_TOKEN",
        field="metrics_token",
        parse=_long_enough,
        meaning="Token that reads /metrics from anywhere; without one, it is read on this machine only.",
        is_secret=True,
    ),
    _Variable(
        name="CLOUDMR_LOG_FORMAT",
        field="log_format",
        parse=_log_format,
        meaning="How lines of the log look: text for people, json for programs.",
    ),
    _Variable(
        name="CLOUDMR_LOG_LEVEL",
        field="log_level",
        parse=_log_level,
        meaning="What is logged: DEBUG, INFO, WARNING or ERROR, and what is worse.",
    ),
    _Variable(
        name="CLOUDMR_ALLOWED_ORIGINS",
        field="allowed_origins",
        parse=_origins,
        meaning="Addresses, by commas, of pages elsewhere that may use the API (CORS).",
    ),
    _Variable(
        name="CLOUDMR_OPERATOR_ACCOUNT_ID",
        field="operator_account_id",
        parse=_account,
        meaning="AWS account of the operator: units there are of mode 1.",
    ),
    _Variable(
        name="CLOUDMR_BRAIN_PRINCIPAL_ARN",
        field="principal_arn",
        parse=_principal,
        meaning="IAM role as which the Brain comes to units in AWS accounts.",
    ),
    _Variable(
        name="CLOUDMR_IMAGE_REPOSITORY",
        field="image_repository",
        parse=_repository,
        meaning="Where units in AWS get their image, with its digest (name@sha256:…) or without.",
    ),
    _Variable(
        name="CLOUDMR_IMAGE_REGIONS",
        field="image_regions",
        parse=_regions,
        meaning="AWS regions, by commas, that have the image.",
    ),
    _Variable(
        name="CLOUDMR_TEMPLATE_URL",
        field="template_url",
        parse=_template,
        meaning="Where the template of units lies in S3 (https://…), for links into AWS's console.",
    ),
    _Variable(
        name="CLOUDMR_PRIVATE_URL_ALLOWED",
        field="is_private_url_allowed",
        parse=_yes_or_no,
        meaning="Whether units may be announced although CLOUDMR_PUBLIC_URL leads nowhere from elsewhere (for tests).",
    ),
)
