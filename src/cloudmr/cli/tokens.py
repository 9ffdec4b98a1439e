"""`cloudmr token`: personal tokens, for programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cloudmr.cli.exit_codes import EPILOG
from cloudmr.cli.people_views import token_table
from cloudmr.cli.session import signed_in
from cloudmr.cli.terminal import AsCsv, AsJson
from cloudmr.cli.times import in_time
from cloudmr.model.personal_tokens import SCOPES
from cloudmr.model.tokens import Scope

app = typer.Typer(no_args_is_help=True, help="Tokens for programs: each for one purpose, with an end.")


@app.command(epilog=EPILOG)
def create(
    name: Annotated[str, typer.Argument(help="What it is for, such as `cluster in room 12`.")],
    scope: Annotated[str, typer.Option(help=f"What it is good for: {', '.join(sorted(SCOPES))}.")],
    expires_in: Annotated[
        str | None, typer.Option(metavar="TIME", help="How long it lives: 30m, 12h, 90d. \\[default: 90d; one hour]")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Write the token into this file, for your eyes only, and do not print it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a token and print it, this once. One for `unit:register` is worth one registration within an hour."""
    if scope not in SCOPES:
        raise typer.BadParameter(f"choose one of {', '.join(sorted(SCOPES))}.", param_hint="--scope")
    lifetime_s = int(in_time(expires_in).total_seconds()) if expires_in is not None else None
    with signed_in(as_json) as (brain, terminal):
        from cloudmr.client.folder import write_private

        made = brain.account.create_token(name=name, scope=Scope(scope), lifetime_s=lifetime_s)
        if output is None:
            terminal.answer(made.model_dump(mode="json"), made.token)
        else:
            write_private(output, made.token + "\n")
            shown = made.model_dump(mode="json", exclude={"token"}) | {"file": str(output)}
            terminal.answer(shown, f"The token {made.id} is in {output}.")
        terminal.note(f"It is good for {made.scope} until {made.expires_at:%Y-%m-%d %H:%M} UTC, and not shown again.")


@app.command("list", epilog=EPILOG)
def list_(as_csv: AsCsv = False, as_json: AsJson = False) -> None:
    """List your tokens: what each is good for, until when, and when it was last used."""
    with signed_in(as_json, as_csv) as (brain, terminal):
        tokens = brain.account.tokens()
        terminal.answer([token.model_dump(mode="json") for token in tokens], token_table(tokens))


@app.command(epilog=EPILOG)
def revoke(
    token_ids: Annotated[list[str], typer.Argument(metavar="TOKEN_ID...", help="`cloudmr token list` shows them.")],
    as_json: AsJson = False,
) -> None:
    """End tokens: they are good for nothing from now on."""
    with signed_in(as_json) as (brain, terminal):
        for token_id in token_ids:
            brain.account.revoke_token(token_id)
        terminal.answer({"revoked": token_ids}, "\n".join(f"{token_id} is revoked." for token_id in token_ids))
