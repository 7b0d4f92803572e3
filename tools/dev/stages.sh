# SPDX-License-Identifier: MIT OR Apache-2.0
# The stages of ./dev test. A stage calls `cases PASSED FAILED` as often as it likes, writes to stdout and stderr (kept
# as a log, shown when it fails), and returns non-zero when it could not do its work.

cases() { # PASSED FAILED [SKIPPED]
  echo "$1 $2 ${3:-0}" >>"$COUNTS"
}

# one COMMAND...: a single case.
one() {
  if "$@"; then cases 1 0; else cases 0 1; fi
}

# counted COMMAND...: a program that says "N passed, N failed" in its last line. No such line counts as one failure.
counted() {
  local output="$LOGS/counted.txt" result=0
  "$@" >"$output" 2>&1 || result=$?
  cat "$output"
  if [[ "$(tail -n 1 "$output")" =~ ([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]] &&
    { [ "$result" -eq 0 ] || [ "${BASH_REMATCH[2]}" -gt 0 ]; }; then
    cases "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
  else
    cases 0 1
  fi
}

# run_tests FOLDER CTEST_ARGS...: leaves what ctest says in the file $JUNIT.
run_tests() {
  local folder="$1" counts
  shift
  JUNIT="$(realpath "$LOGS")/junit.xml"
  rm -f -- "$JUNIT"
  "${WRAPPER[@]}" ctest --test-dir "$folder" -j "$JOBS" --output-on-failure --no-tests=error \
    --test-output-size-passed 4096 --output-junit "$JUNIT" "$@" || true
  counts="$(python3 tools/dev/count_cases.py "$JUNIT")" || return 1
  # shellcheck disable=SC2086
  cases $counts
}

run_stage() {
  local stage="$1" log="$LOGS/$1.log" started=$SECONDS passed failed skipped line
  COUNTS="$LOGS/$stage.counts"
  WRAPPER=()
  : >"$COUNTS"
  say "stage $stage"
  # In a subshell with -e, so that a command that fails ends the stage and nothing else.
  set +e
  (
    set -e
    "stage_$stage"
  ) >"$log" 2>&1
  local result=$?
  set -e
  passed=0 failed=0 skipped=0
  while read -r -a line; do
    passed=$((passed + line[0])) failed=$((failed + line[1])) skipped=$((skipped + line[2]))
  done <"$COUNTS"
  if [ "$result" -ne 0 ] || [ $((passed + failed)) -eq 0 ]; then failed=$((failed + 1)); fi
  [ "$failed" -eq 0 ] || show_failure "$log"
  grep '^total: ' "$log" || true
  say "stage $stage: $passed passed, $failed failed, $skipped skipped, $((SECONDS - started)) s"
  total_passed=$((total_passed + passed))
  total_failed=$((total_failed + failed))
}

# The interesting lines of a log: what failed, and its end.
show_failure() {
  grep -E 'error:|undefined reference|FAILED|ERROR:|: Failure|runtime error' "$1" | head -n 40 || true
  echo "--- end of $1"
  tail -n 60 "$1"
  echo "---"
}

stage_tidy() {
  if [ -n "${VITRINE_UPDATE:-}" ]; then python3 tools/gen_errors.py; fi
  counted python3 tools/tidy.py --self-test
  counted python3 tools/tidy.py
}

stage_headers() { counted python3 tools/check_headers.py --jobs "$JOBS"; }

stage_unit() {
  configure "$BUILD"
  compile "$BUILD" unit_tests
  run_tests "$BUILD" -L unit
}

stage_gcc() {
  configure "$BUILD" -DCMAKE_CXX_COMPILER=g++
  compile "$BUILD"
  run_tests "$BUILD"
  [[ "${VITRINE_TEST_SCALE:-normal}" =~ ^(small|tiny)$ ]] || one python3 tools/dev/count_images.py "$JUNIT"
}

# The product alone with the other compiler and each source by itself, for ./dev check; ./dev test meets clang in the
# stage asan, and sources by themselves in the stage mutants.
stage_clang() {
  configure "$BUILD/clang" -DCMAKE_CXX_COMPILER=clang++-14 -DVITRINE_TESTS=OFF -DCMAKE_UNITY_BUILD=OFF
  one compile "$BUILD/clang"
}

stage_asan() {
  configure_asan
  compile "$BUILD/asan"
  export VITRINE_TEST_SCALE=tiny
  export ASAN_OPTIONS="detect_stack_use_after_return=1:strict_string_checks=1:${ASAN_OPTIONS:-}"
  export UBSAN_OPTIONS="print_stacktrace=1:${UBSAN_OPTIONS:-}"
  # The simulations that stage gcc repeats with encryption ran here once already, without it.
  run_tests "$BUILD/asan" -LE system-simulation
}

stage_tsan() {
  # The thread sanitizer of clang 14 does not start where addresses are spread widely; fixed ones suit every kernel.
  if setarch "$(uname -m)" -R true 2>/dev/null; then WRAPPER=(setarch "$(uname -m)" -R); fi
  configure "$BUILD/tsan" -DCMAKE_CXX_COMPILER=clang++-14 -DVITRINE_SANITIZE=thread -DVITRINE_BENCH=OFF
  compile "$BUILD/tsan"
  export VITRINE_TEST_SCALE=tiny
  export TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1:${TSAN_OPTIONS:-}"
  run_tests "$BUILD/tsan"
}

# Each target for a short time, as many at once as there are processors, starting from the kept corpus, which stays as
# it is.
stage_fuzz() {
  local target
  configure_asan
  compile "$BUILD/asan" fuzz_targets
  mkdir -p "$LOGS/crashes"
  rm -f -- "$LOGS"/fuzz-*.log
  for target in $(fuzz_targets); do
    while [ "$(jobs -rp | wc -l)" -ge "$JOBS" ]; do wait -n || true; done
    one fuzz_for_a_while "$target" >"$LOGS/fuzz-$target.log" 2>&1 &
  done
  wait
  cat "$LOGS"/fuzz-*.log
}

fuzz_for_a_while() { # TARGET
  local scratch result=0
  scratch="$(mktemp -d)"
  echo "fuzzing $1"
  FUZZ_ARTIFACTS="$LOGS/crashes/$1-" fuzz_run "$1" "${VITRINE_FUZZ_SECONDS:-10}" "$scratch" || result=1
  rm -rf -- "$scratch"
  return "$result"
}

# Hot operations must not take more instructions than they did.
stage_instructions() {
  configure "$BUILD" -DCMAKE_CXX_COMPILER=g++ -DVITRINE_BENCH=ON
  compile "$BUILD" hot_operations
  counted python3 bench/instructions.py --program "$BUILD/bin/hot_operations" ${VITRINE_UPDATE:+--update}
}

# The tests themselves are tested: each planted bug must be found.
stage_mutants() { counted python3 tools/mutants.py --build "$(realpath "$BUILD")/mutants" --jobs "$JOBS"; }

# The program as a user meets it. tests/*/run takes the program and ends with "N passed, N failed".
stage_cli() {
  local script
  build_product
  for script in tests/*/run; do
    if [ -x "$script" ]; then counted "$script" "$(realpath "$BUILD/bin/vitrine")" ${VITRINE_UPDATE:+--update}; fi
  done
}

stage_package() {
  build_product
  counted tools/package_check.sh "$BUILD"
}
