#!/usr/bin/env bash
# Makes or updates the operator's own computing unit, for every user; with an administrator's account of CloudMR Brain.
set -euo pipefail
here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for folder in "$here/../mode2-deployment" "$here/.."; do
  if [ -f "$folder/cloudmr.sh" ]; then
    # shellcheck source=mode2-deployment/cloudmr.sh
    source "$folder/cloudmr.sh"
    break
  fi
done
export MODE="${MODE:-mode_1}" STACK_NAME="${STACK_NAME:-mroptimum-mode1}"
run_cloudmr unit deploy "$@"
