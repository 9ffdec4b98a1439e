"""A terminal in which somebody follows the guide: its blocks as they stand there, but for what is theirs to fill in.

Filled in are the values of `export` lines, what is written `xxxx`, and the address that stands for the Brain's.
"""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aws_accounts import CHECKOUT, USER, Accounts
from code_blocks import Block, blocks

AWSCLI = CHECKOUT / ".venv-awscli" / "bin"
PLACEHOLDER_ADDRESS = "https://api.cloudmrhub.com"
_PASSED_ON = ("PATH", "LANG", "TMPDIR")
_LIMIT_S = 300
_NEEDED = ("scripts", "mode2-deployment", "calculation", "template-mode2.yaml")
"""What of a checkout the guide's commands use."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a block printed, and how its last command ended."""

    block: Block
    output: str
    status: int

    @property
    def documents(self) -> list[Any]:
        """The JSON documents in what was printed, in their order."""
        decoder, found, position = json.JSONDecoder(), [], 0
        while match := re.compile(r'^[\[{"]', re.MULTILINE).search(self.output, position):
            try:
                value, position = decoder.raw_decode(self.output, match.start())
                found.append(value)
            except json.JSONDecodeError:
                position = match.end()
        return found


@dataclass
class Terminal:
    """A shell at the root of a checkout. What blocks export, later blocks have; each begins at the root."""

    folder: Path
    values: Mapping[str, str]
    """What `export` lines are given in place of their values."""
    fillings: Mapping[str, list[str]] = field(default_factory=dict)
    """What stands for something else, in the order in which it comes; the last one from then on."""
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """A copy of what the guide's commands use, so that whatever they leave stays out of the checkout."""
        root = self.folder / "checkout"
        if not root.exists():
            root.mkdir()
            for name in _NEEDED:
                if (CHECKOUT / name).is_dir():
                    shutil.copytree(CHECKOUT / name, root / name, symlinks=True)
                else:
                    shutil.copy2(CHECKOUT / name, root / name, follow_symlinks=False)
        return root

    def run(self, block: Block) -> Said:
        """Run a block to its end, whatever its commands say."""
        return self.type(self.filled_in(block.text), block)

    def type(self, text: str, block: Block | None = None) -> Said:
        """Run some text."""
        kept = self.folder / "exported.json"
        ask = f"{shlex.quote(sys.executable)} -c 'import json,os; print(json.dumps(dict(os.environ)))'"
        script = (
            f"cd {shlex.quote(str(self.root))}\n{text}\nstatus=$?\n{ask} > {shlex.quote(str(kept))}\nexit $status\n"
        )
        done = subprocess.run(
            ["/bin/bash", "-o", "pipefail", "-c", script],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_LIMIT_S,
        )
        self.environment = {
            k: v for k, v in json.loads(kept.read_text()).items() if k not in {"_", "SHLVL", "PWD", "OLDPWD"}
        }
        said = Block(document="", line=0, language="sh", text=text)
        return Said(block=block or said, output=done.stdout, status=done.returncode)

    def converse(self, block: Block, answers: Sequence[tuple[str, str]]) -> Said:
        """Run a block at a terminal; whenever the next question is there, its answer is typed."""
        script = f"cd {shlex.quote(str(self.root))}\n{self.filled_in(block.text)}"
        child, line = pty.fork()
        if child == 0:
            os.execve("/bin/bash", ["bash", "-e", "-c", script], self.environment)
        output, asked, left, give_up_at_s = "", 0, list(answers), time.monotonic() + _LIMIT_S
        while time.monotonic() < give_up_at_s:
            if not select.select([line], [], [], 1)[0]:
                continue
            try:
                output += os.read(line, 65536).decode(errors="replace")
            except OSError:  # The other side has ended.
                break
            if left and left[0][0] in output[asked:]:
                asked = len(output)
                os.write(line, f"{left.pop(0)[1]}\n".encode())
        os.close(line)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert not left, f"{left[0][0]} was not asked:\n{output}"
        return Said(block=block, output=output.replace("\r\n", "\n"), status=status)

    def filled_in(self, text: str) -> str:
        """Return a block's text with what is the reader's own."""
        lines = [_with_value(line, self.values) for line in text.splitlines(keepends=True)]
        text = "".join(lines)
        for placeholder, values in self.fillings.items():
            for value in values[:-1]:
                text = text.replace(placeholder, value, 1)
            text = text.replace(placeholder, values[-1])
        return text


def _with_value(line: str, values: Mapping[str, str]) -> str:
    """Return a line with a value of one's own, if it exports one; what a command finds out stays."""
    found = re.fullmatch(r"export (\w+)=(?!\"?\$\()[^\n]*\n?", line)
    if found and found[1] in values:
        return f"export {found[1]}={shlex.quote(values[found[1]])}\n"
    return line


def terminal(
    accounts: Accounts, folder: Path, brain_url: str, *, email: str, password: str, account: str = USER
) -> Terminal:
    """Open a terminal of somebody who has an account of CloudMR Brain, and a profile for their own of AWS."""
    home = folder / "home"
    (home / ".aws").mkdir(parents=True)
    keys = accounts.environment(account)
    profile = {
        "aws_access_key_id": keys["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": keys["AWS_SECRET_ACCESS_KEY"],
        "endpoint_url": accounts.url,
        "ca_bundle": str(accounts.ca_bundle),
        "region": "us-east-1",
    }
    lines = "".join(f"{name} = {value}\n" for name, value in profile.items())
    (home / ".aws" / "config").write_text(
        "".join(f"[{name}]\n{lines}" for name in ("default", "profile myprofile", "profile eros"))
    )
    network = accounts.network(account)
    _give_a_way_out(accounts, account)
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | {
        "HOME": str(home),
        "PATH": f"{AWSCLI}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "AWS_EC2_METADATA_DISABLED": "true",
        "SSL_CERT_FILE": str(accounts.ca_bundle),
    }
    return Terminal(
        folder=folder,
        values={"CLOUDMR_API_URL": brain_url, "CLOUDMR_EMAIL": email, "CLOUDMR_PASSWORD": password},
        fillings={
            PLACEHOLDER_ADDRESS: [brain_url],
            "vpc-xxxxxxxxx": [network.vpc_id],
            "subnet-xxxxxxxxx": list(network.subnet_ids),
            "your@email.com": [email],
            "'yourpassword'": [shlex.quote(password)],
        },
        environment=environment,
    )


def _give_a_way_out(accounts: Accounts, account: str) -> None:
    """Add to the default network the route that AWS's own have, and the emulator's has not."""
    ec2 = accounts.session(account).client("ec2")
    [table] = ec2.describe_route_tables()["RouteTables"]
    [gateway] = ec2.describe_internet_gateways()["InternetGateways"]
    if all(route.get("DestinationCidrBlock") != "0.0.0.0/0" for route in table["Routes"]):
        ec2.create_route(
            RouteTableId=table["RouteTableId"],
            GatewayId=gateway["InternetGatewayId"],
            DestinationCidrBlock="0.0.0.0/0",
        )


def guide_blocks(document: str) -> list[Block]:
    """Return the blocks of a guide that are typed into a shell, the indented ones in its lists too."""
    return [block for block in blocks(CHECKOUT / "docs" / document) if block.language == "sh"]
