#!/usr/bin/env bash
# Registers the unit that a stack in your AWS account is; registered already, it stays as it is. `--help` lists the flags.
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
