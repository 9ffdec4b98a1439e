#!/usr/bin/env bash
# Run, it prints the guide's commands, filled in for your stack. Sourced, it gives you commands:
#   source scripts/mode2-quick-reference.sh
#   mode2_status  mode2_outputs  mode2_failed_events  mode2_units  mode2_tasks  mode2_logs  mode2_cost  mode2_smoke  mode2_remove
# Of the stack STACK_NAME (mroptimum-mode2) in AWS_REGION or REGION (us-east-1), with the profile AWS_PROFILE.

_mode2_here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for _mode2_folder in "$_mode2_here/../mode2-deployment" "$_mode2_here/.."; do
  if [ -f "$_mode2_folder/cloudmr.sh" ]; then
    # shellcheck source=mode2-deployment/cloudmr.sh
    source "$_mode2_folder/cloudmr.sh"
    break
  fi
done

_mode2_stack() { echo "${STACK_NAME:-mroptimum-mode2}"; }
_mode2_region() { echo "${AWS_REGION:-${REGION:-us-east-1}}"; }
_mode2_aws() { aws "$@" --region "$(_mode2_region)"; }

mode2_status() {
  _mode2_aws cloudformation describe-stacks --stack-name "$(_mode2_stack)" --query 'Stacks[0].StackStatus' --output text
}
mode2_outputs() {
  _mode2_aws cloudformation describe-stacks --stack-name "$(_mode2_stack)" --query 'Stacks[0].Outputs' --output table
}
mode2_failed_events() {
  # shellcheck disable=SC2016  # the backticks are of the query
  _mode2_aws cloudformation describe-stack-events --stack-name "$(_mode2_stack)" \
    --query 'StackEvents[?ResourceStatus==`CREATE_FAILED`].[LogicalResourceId,ResourceStatusReason]' --output table
}
mode2_tasks() {
  _mode2_aws ecs list-tasks --cluster "$(_mode2_stack)-cluster" "$@"
}
mode2_units() { run_cloudmr unit list "$@"; }
mode2_logs() { run_cloudmr unit logs "$@"; }
mode2_cost() { run_cloudmr unit cost "$@"; }
mode2_smoke() { run_cloudmr unit smoke "$@"; }
mode2_remove() { run_cloudmr unit remove "$@"; }

_mode2_print() {
  local stack region
  stack=$(_mode2_stack)
  region=$(_mode2_region)
  cat <<REFERENCE
# Deploy, and bring up to date
cd mode2-deployment/ && ./deploy-mode2.sh --stack-name $stack --region $region

# How the stack is, what it made, what failed
aws cloudformation describe-stacks --stack-name $stack --region $region --query 'Stacks[0].StackStatus'
aws cloudformation describe-stacks --stack-name $stack --region $region --query 'Stacks[0].Outputs'
aws cloudformation describe-stack-events --stack-name $stack --region $region --query 'StackEvents[?ResourceStatus==\`CREATE_FAILED\`]'

# Register it, and list the units you may use
STACK_NAME=$stack REGION=$region ./scripts/register-computing-unit.sh
cloudmr unit list

# Look at everything with your own credentials
cloudmr unit check --stack-name $stack --region $region

# Tasks of large jobs, and what workers wrote
aws ecs list-tasks --cluster $stack-cluster --region $region
cloudmr unit logs --stack-name $stack --region $region --follow

# What it costs, and whether it all works (a job on each platform, about one cent)
cloudmr unit cost --stack-name $stack --region $region
cloudmr unit smoke --stack-name $stack --region $region

# Remove it: by hand, or with its registration and a list of what stays
aws cloudformation delete-stack --stack-name $stack --region $region
cloudmr unit remove --stack-name $stack --region $region
REFERENCE
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  set -euo pipefail
  _mode2_print
fi
