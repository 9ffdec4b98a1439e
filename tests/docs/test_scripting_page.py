"""The page on scripts does what it says: its code is run against a Brain with a unit that works."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudmr.client.brain import BrainClient
from code_blocks import ROOT, blocks, run_blocks
from real_brain import PASSWORD, serving

PAGE = ROOT / "docs" / "scripting.md"


@pytest.mark.slow
def test_the_code_for_scripts_runs_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(tmp_path / "brain") as real:
        email = real.new_email()
        with BrainClient(real.url, folder=tmp_path / "client") as brain:
            token = brain.log_in(email=email, password=PASSWORD).access_token
        monkeypatch.setenv("CLOUDMR_API_URL", real.url)
        monkeypatch.setenv("CLOUDMR_TOKEN", token)
        monkeypatch.setenv("CLOUDMR_CONFIG", str(tmp_path / "client"))
        (tmp_path / "work").mkdir()
        run_blocks([block for block in blocks(PAGE) if block.language == "python"], tmp_path / "work")
    assert list((tmp_path / "work" / "knee").rglob("*.nii.gz"))
