"""`cloudmr confirm`, `reset-password` and what has their mails sent: an account without a web page at hand."""

from __future__ import annotations

from typing import Annotated

import typer

from cloudmr.cli.accounts import Email, Password, Server, asked, at_brain, choose_password
from cloudmr.cli.exit_codes import EPILOG
from cloudmr.cli.terminal import AsJson, answering

app = typer.Typer()

Code = Annotated[str, typer.Argument(metavar="CODE", help="What follows the # of the link in the mail.")]
_SENT = "If there is such an account, a mail is on its way."


@app.command(epilog=EPILOG)
def confirm(code: Code, password: Password = None, server: Server = None, as_json: AsJson = False) -> None:
    """Confirm the e-mail address of a new account, with the password it was made with."""
    with answering(as_json) as terminal, at_brain(terminal, server) as brain:
        brain.account.confirm(secret=code, password=choose_password(terminal, password, is_new=False))
        terminal.answer({"success": True}, "The address is confirmed; sign in with `cloudmr login`.")


@app.command("resend-confirmation", epilog=EPILOG)
def resend_confirmation(email: Email = None, server: Server = None, as_json: AsJson = False) -> None:
    """Have the mail for confirming an address sent again."""
    with answering(as_json) as terminal, at_brain(terminal, server) as brain:
        brain.account.resend_confirmation(email=email or asked("E-mail address"))
        terminal.answer({"success": True}, _SENT)


@app.command("forgot-password", epilog=EPILOG)
def forgot_password(email: Email = None, server: Server = None, as_json: AsJson = False) -> None:
    """Have a mail sent with which another password can be chosen."""
    with answering(as_json) as terminal, at_brain(terminal, server) as brain:
        brain.account.forgot_password(email=email or asked("E-mail address"))
        terminal.answer({"success": True}, _SENT)


@app.command("reset-password", epilog=EPILOG)
def reset_password(code: Code, password: Password = None, server: Server = None, as_json: AsJson = False) -> None:
    """Choose another password with the code of a mail; every session and token of the account ends."""
    with answering(as_json) as terminal, at_brain(terminal, server) as brain:
        brain.account.reset_password(secret=code, new_password=choose_password(terminal, password, is_new=True))
        terminal.answer({"success": True}, "The password is changed; sign in with `cloudmr login`.")
