from __future__ import annotations

from pathlib import Path

import pytest

from cloudmr.delivery.mail import MailServer
from cloudmr.errors import SettingsError
from cloudmr.model.limits import Limits
from cloudmr.settings import Settings

HOME = {"CLOUDMR_HOME": "/var/lib/cloudmr"}
SECRET = "s" * 40


def test_with_nothing_set_everything_is_below_the_home_of_whoever_runs_it() -> None:
    settings = Settings.from_environment({})
    assert settings.home == Path.home() / ".cloudmr"
    assert settings.database_url == f"sqlite:///{settings.home}/brain.sqlite"
    assert settings.storage == settings.home / "storage"
    assert settings.public_url == settings.local_url == "http://127.0.0.1:8000"
    assert settings.secret_key is None
    assert settings.limits == Limits()


def test_what_is_set_is_taken() -> None:
    settings = Settings.from_environment(
        {
            **HOME,
            "DATABASE_URL": "postgresql+psycopg://brain:pw@db/brain",
            "CLOUDMR_STORAGE": "/data",
            "CLOUDMR_SECRET_KEY": SECRET,
            "CLOUDMR_PUBLIC_URL": "https://brain.example.org/",
            "CLOUDMR_HOST": "0.0.0.0",
            "CLOUDMR_PORT": "0",
            "CLOUDMR_SLOTS": "7",
            "CLOUDMR_RUNNING_EACH": "3",
            "CLOUDMR_QUEUED_EACH": "9",
            "CLOUDMR_MAX_UPLOAD_BYTES": "1000",
            "CLOUDMR_STORED_BYTES_EACH": "3000",
        }
    )
    assert settings.home == Path("/var/lib/cloudmr")
    assert settings.database_url == "postgresql+psycopg://brain:pw@db/brain"
    assert settings.storage == Path("/data")
    assert settings.secret_key == SECRET.encode()
    assert settings.public_url == "https://brain.example.org"
    assert (settings.host, settings.port) == ("0.0.0.0", 0)
    assert settings.limits == Limits(
        n_slots=7, n_running_each=3, n_queued_each=9, max_upload_bytes=1000, max_stored_bytes_each=3000
    )


def test_an_empty_variable_is_as_good_as_none() -> None:
    assert Settings.from_environment({"CLOUDMR_PORT": ""}).port == 8000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLOUDMR_PORT", "eighty"),
        ("CLOUDMR_PORT", "65536"),
        ("CLOUDMR_PORT", "-1"),
        ("CLOUDMR_PORT", "²"),
        ("CLOUDMR_SLOTS", "0"),
        ("CLOUDMR_TEMPLATE_URL", "http://templates.s3.amazonaws.com/template.yaml"),
        ("CLOUDMR_TEMPLATE_URL", "https://templates.example.org/template.yaml"),
        ("CLOUDMR_PUBLIC_URL", "brain.example.org"),
        ("CLOUDMR_PUBLIC_URL", "ftp://brain.example.org"),
        ("CLOUDMR_PUBLIC_URL", "https://brain.example.org/?x=1"),
        ("CLOUDMR_HOST", "a b"),
        ("DATABASE_URL", "mysql://db"),
        ("DATABASE_URL", "sqlite://"),
        ("CLOUDMR_SECRET_KEY", "short"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_variable(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name) as refused:
        Settings.from_environment({name: value})
    assert name in refused.value.next_step


@pytest.mark.parametrize("name", ["CLOUDMR_SECRET_KEY", "DATABASE_URL"])
def test_a_secret_is_not_quoted_even_if_it_cannot_be_used(name: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment({name: "s3cret"})
    assert "s3cret" not in str(refused.value)


def test_the_table_says_where_values_come_from_and_no_secrets() -> None:
    settings = Settings.from_environment(
        {**HOME, "CLOUDMR_SECRET_KEY": SECRET, "DATABASE_URL": "postgresql+psycopg://brain:s3cret@db/brain"}
    ).evolve(port=9000)
    rows = {row.name: row for row in settings.describe()}
    assert rows["CLOUDMR_HOME"].value == "/var/lib/cloudmr"
    assert rows["CLOUDMR_HOME"].source == "environment"
    assert (rows["CLOUDMR_PORT"].value, rows["CLOUDMR_PORT"].source) == ("9000", "command line")
    assert (rows["CLOUDMR_HOST"].value, rows["CLOUDMR_HOST"].source) == ("127.0.0.1", "default")
    assert rows["CLOUDMR_SECRET_KEY"].value == "(set)"
    assert rows["DATABASE_URL"].value == "postgresql+psycopg://brain:…@db/brain"
    assert rows["CLOUDMR_STORAGE"].value == "/var/lib/cloudmr/storage"
    assert all(row.meaning for row in rows.values())
    assert SECRET not in str(rows)
    assert "s3cret" not in str(rows)


def test_a_secret_key_that_is_not_given_says_where_it_is_kept() -> None:
    rows = {row.name: row for row in Settings.from_environment(HOME).describe()}
    assert rows["CLOUDMR_SECRET_KEY"].value == "(kept in /var/lib/cloudmr/secret-key)"


def test_no_secret_is_shown_by_chance() -> None:
    settings = Settings.from_environment(
        {"CLOUDMR_SECRET_KEY": SECRET, "DATABASE_URL": "postgresql+psycopg://b:pw@db/b"}
    )
    assert SECRET not in repr(settings)
    assert ":pw@" not in repr(settings)


def test_a_password_is_hidden_wherever_it_stands_in_an_address() -> None:
    settings = Settings.from_environment({"DATABASE_URL": "postgresql:///db?user=b&password=s3cret&host=db"})
    rows = {row.name: row for row in settings.describe()}
    assert rows["DATABASE_URL"].value == "postgresql:///db?user=b&password=…&host=db"


def test_what_is_on_or_off() -> None:
    assert Settings.from_environment(HOME).has_local_unit
    off = Settings.from_environment({"CLOUDMR_LOCAL_UNIT": "off"})
    assert not off.has_local_unit
    assert {row.name: row.value for row in off.describe()}["CLOUDMR_LOCAL_UNIT"] == "off"
    with pytest.raises(SettingsError, match="on or off"):
        Settings.from_environment({"CLOUDMR_LOCAL_UNIT": "maybe"})


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("::1", "http://[::1]:8000"),
        ("brain.example.org", "http://brain.example.org:8000"),
    ],
)
def test_how_this_machine_reaches_it(host: str, url: str) -> None:
    assert Settings.from_environment({"CLOUDMR_HOST": host}).local_url == url


def test_links_follow_the_port_that_was_found() -> None:
    settings = Settings.from_environment({"CLOUDMR_PORT": "0"}).evolve(port=4321)
    assert settings.public_url == "http://127.0.0.1:4321"
    assert settings.evolve(given_public_url="https://b.example.org").public_url == "https://b.example.org"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "smtp://brain:p%40ss@mail.example.org?from=brain@example.org",
            MailServer(host="mail.example.org", port=587, sender="brain@example.org", user="brain", password="p@ss"),
        ),
        (
            "smtps://mail.example.org?from=CloudMR+%3Cbrain@example.org%3E",
            MailServer(host="mail.example.org", port=465, sender="CloudMR <brain@example.org>", is_encrypted=True),
        ),
        (
            "smtp://localhost:2525?from=brain@example.org&starttls=no",
            MailServer(host="localhost", port=2525, sender="brain@example.org", is_plain=True),
        ),
    ],
)
def test_a_mail_server_is_named_by_an_address(url: str, expected: MailServer) -> None:
    settings = Settings.from_environment(HOME | {"CLOUDMR_SMTP_URL": url})
    assert settings.mail_server == expected
    [row] = [row for row in settings.describe() if row.name == "CLOUDMR_SMTP_URL"]
    assert row.value == f"{expected.host}:{expected.port}"


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.org",
        "http://mail.example.org?from=a@b.org",
        "smtp://mail.example.org",
        "smtp://mail.example.org?from=nobody",
        "smtp://mail.example.org?from=a@b.org&bcc=c@d.org",
        "smtp://mail.example.org/path?from=a@b.org",
        "smtp://brain:secret-word@mail.example.org?from=a@b.org&starttls=no",
        "smtp://mail.example.org?from=a@b.org%0d%0aBcc:%20c@d.org",
        "smtp://mail.example.org:port?from=a@b.org",
    ],
)
def test_a_mail_server_that_is_none_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment(HOME | {"CLOUDMR_SMTP_URL": url})
    assert "CLOUDMR_SMTP_URL" in refused.value.message
    assert "secret-word" not in refused.value.message


def test_without_a_mail_server_mails_are_files_in_the_home() -> None:
    settings = Settings.from_environment(HOME)
    assert settings.mail_folder == Path("/var/lib/cloudmr/outbox")
    [row] = [row for row in settings.describe() if row.name == "CLOUDMR_SMTP_URL"]
    assert row.value == "(mails go to /var/lib/cloudmr/outbox)"


def test_proxies_are_trusted_by_name_only() -> None:
    assert Settings.from_environment(HOME).trusted_proxies == ()
    trusted = Settings.from_environment(HOME | {"CLOUDMR_TRUSTED_PROXIES": "10.0.0.0/8, ::1"})
    assert [str(network) for network in trusted.trusted_proxies] == ["10.0.0.0/8", "::1/128"]
    [row] = [row for row in trusted.describe() if row.name == "CLOUDMR_TRUSTED_PROXIES"]
    assert row.value == "10.0.0.0/8, ::1/128"
    with pytest.raises(SettingsError, match="CLOUDMR_TRUSTED_PROXIES"):
        Settings.from_environment(HOME | {"CLOUDMR_TRUSTED_PROXIES": "everybody"})


def test_webhooks_go_to_private_addresses_only_where_that_is_set() -> None:
    assert not Settings.from_environment(HOME).allows_private_webhooks
    assert Settings.from_environment(HOME | {"CLOUDMR_PRIVATE_WEBHOOKS": "yes"}).allows_private_webhooks
    with pytest.raises(SettingsError, match="CLOUDMR_PRIVATE_WEBHOOKS"):
        Settings.from_environment(HOME | {"CLOUDMR_PRIVATE_WEBHOOKS": "perhaps"})
