from __future__ import annotations

from cloudmr.compute.limits import passed_on


def test_what_a_worker_needs_to_start_is_passed_on() -> None:
    environment = {"PATH": "/bin", "HOME": "/root", "LANG": "C", "LC_CTYPE": "C.UTF-8", "OMP_NUM_THREADS": "1"}
    assert passed_on(environment) == environment


def test_what_could_hold_a_secret_is_not() -> None:
    secrets = ["CLOUDMR_SECRET_KEY", "CLOUDMR_SMTP_URL", "DATABASE_URL", "AWS_SESSION_TOKEN", "HTTPS_PROXY", "MY_TOKEN"]
    assert passed_on(dict.fromkeys(secrets, "hidden")) == {}
