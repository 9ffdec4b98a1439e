#!/usr/bin/env bash
# Registers a computing unit of either mode, from the outputs of its stack. `--help` lists the flags.
set -euo pipefail
here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for folder in "$here/../mode2-deployment" "$here/.."; do
  if [ -f "$folder/cloudmr.sh" ]; then
    # shellcheck source=mode2-deployment/cloudmr.sh
    source "$folder/cloudmr.sh"
    break
  fi
done
run_cloudmr unit register "$@"
