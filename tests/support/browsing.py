"""What browser tests are given to do."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

SignIn = Callable[[], str]
"""Signs somebody new in, as a person would; returns their e-mail address."""
CheckAccess = Callable[[Page], None]
"""Fails where a page keeps somebody out, in light or in dark."""
