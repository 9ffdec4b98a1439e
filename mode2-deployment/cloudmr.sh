# shellcheck shell=bash
# Read by the scripts beside this file and in scripts/: finds the command `cloudmr`, or makes it, and runs it.
#   run_cloudmr unit deploy --stack-name my-mroptimum
# In this order: on PATH, in the checkout's .venv, in a private environment beside this file, which is made where
# there is none. What is installed there is the checkout, else CLOUDMR_PACKAGE (mroptimum[aws]).

deployment_folder=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)

run_cloudmr() {
  local command
  command=$(find_cloudmr) || return
  if [ -f "$deployment_folder/template-mode2.yaml" ]; then
    export CLOUDMR_TEMPLATE="${CLOUDMR_TEMPLATE:-$deployment_folder/template-mode2.yaml}"
  fi
  "$command" "$@"
}

find_cloudmr() {
  local checkout private="$deployment_folder/.cloudmr" python package
  if command -v cloudmr; then
    return
  fi
  checkout=$(checkout_folder)
  if [ -n "$checkout" ] && [ -x "$checkout/.venv/bin/cloudmr" ]; then
    echo "Using $checkout/.venv/bin/cloudmr." >&2
    echo "$checkout/.venv/bin/cloudmr"
    return
  fi
  if [ ! -x "$private/bin/cloudmr" ]; then
    if ! python=$(find_python); then
      echo "There is no Python 3.11 or newer here (PYTHON=… names one)." >&2
      print_manual_way >&2
      return 2
    fi
    package=${CLOUDMR_PACKAGE:-mroptimum[aws]}
    if [ -n "$checkout" ] && [ -z "${CLOUDMR_PACKAGE:-}" ]; then
      package="${checkout}[aws]"
    fi
    echo "Making a private environment in $private, with $package: this takes a minute, once." >&2
    # The pages of CloudMR Brain are not needed here: their scripts are not built.
    { "$python" -m venv "$private" && CLOUDMR_WEB=skip "$private/bin/pip" install --quiet "$package"; } >&2 || {
      rm -rf "$private"
      echo "That failed: pip could not install $package." >&2
      print_manual_way >&2
      return 2
    }
  fi
  echo "$private/bin/cloudmr"
}

# The folder of the source code that this file belongs to, if it does.
checkout_folder() {
  local above
  above=$(dirname "$deployment_folder")
  if [ -f "$above/pyproject.toml" ] && [ -d "$above/src/cloudmr" ]; then
    echo "$above"
  fi
}

find_python() {
  local name
  for name in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11 python; do
    if "$name" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  return 1
}

print_manual_way() {
  cat <<MANUAL
Without it the stack is deployed by AWS's own command line. Get a token from your profile in CloudMR Brain, put it into
CLOUDMR_TOKEN, fill in network and subnets, and run this:

aws cloudformation deploy \\
    --template-file "$deployment_folder/template-mode2.yaml" \\
    --stack-name ${STACK_NAME:-mroptimum-mode2} \\
    --region ${AWS_REGION:-${REGION:-us-east-1}} \\
    --parameter-overrides \\
        CloudMRApiUrl="${CLOUDMR_API_URL:-https://…}" \\
        CloudMRUserToken="\$CLOUDMR_TOKEN" \\
        VpcId="${VPC_ID:-vpc-xxxxxxxxx}" \\
        SubnetId1="${SUBNET_ID_1:-subnet-xxxxxxxxx}" \\
        SubnetId2="${SUBNET_ID_2:-subnet-xxxxxxxxx}" \\
        ImageTag="${IMAGE_TAG:-latest}" \\
    --capabilities CAPABILITY_IAM CAPABILITY_NAMED_IAM CAPABILITY_AUTO_EXPAND
MANUAL
}
