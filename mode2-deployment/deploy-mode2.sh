#!/usr/bin/env bash
# Makes a computing unit in your AWS account, or brings it up to date, and registers it. `--help` lists the flags.
set -euo pipefail
# shellcheck source=mode2-deployment/cloudmr.sh
source "$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)/cloudmr.sh"
run_cloudmr unit deploy "$@"
