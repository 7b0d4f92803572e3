# SPDX-License-Identifier: MIT OR Apache-2.0
# Everything that must hold, in stages. Each stage counts test cases; the last line is the sum, alone on its line. A
# stage that cannot even build counts as one failed case, and the others still run.
source tools/dev/fuzz_common.sh
source tools/dev/stages.sh

fast=no
stages=()
while [ $# -gt 0 ]; do
  case "$1" in
    --fast) fast=yes && shift ;;
    --update) export VITRINE_UPDATE=1 && shift ;;
    --stage) stages+=("${2:?stage}") && shift 2 ;;
    *) fail "test: unknown argument '$1'" ;;
  esac
done
if [ ${#stages[@]} -eq 0 ]; then
  stages=(tidy headers gcc cli instructions package asan fuzz tsan mutants)
  [ "$fast" = yes ] && stages=(tidy unit)
fi

need "${PACKAGES_BUILD[@]}" "${PACKAGES_TEST[@]}"
[ "$fast" = yes ] || need "${PACKAGES_CLANG[@]}"

LOGS="$BUILD/test-logs"
mkdir -p "$LOGS"
total_passed=0
total_failed=0
for stage in "${stages[@]}"; do
  declare -F "stage_$stage" >/dev/null || fail "test: no stage '$stage'"
  run_stage "$stage"
done

[ "$total_failed" -eq 0 ] || say "logs are in $LOGS/"
echo "$total_passed passed, $total_failed failed"
[ "$total_failed" -eq 0 ]
