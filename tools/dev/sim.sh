# SPDX-License-Identifier: MIT OR Apache-2.0
# Repeats the randomized system tests, each round with a new seed, until the time is over or a round fails.
minutes=10
pattern=""
while [ $# -gt 0 ]; do
  case "$1" in
    --minutes) minutes="${2:?minutes}" && shift 2 ;;
    -*) fail "sim: unknown argument '$1'" ;;
    *) pattern="$1" && shift ;;
  esac
done
need "${PACKAGES_BUILD[@]}"
configure "$BUILD"
compile "$BUILD"
end=$((SECONDS + minutes * 60))
rounds=0
while [ "$SECONDS" -lt "$end" ] || [ "$rounds" -eq 0 ]; do
  seed="${VITRINE_SEED:-$(od -An -N6 -tu8 /dev/urandom | tr -d ' ')}"
  say "round $((rounds + 1)), VITRINE_SEED=$seed"
  VITRINE_SEED="$seed" ctest --test-dir "$BUILD" -L system -R "$pattern" -j "$JOBS" --output-on-failure \
    --no-tests=error || fail "sim: replay with VITRINE_SEED=$seed ./dev sim --minutes 0 $pattern"
  rounds=$((rounds + 1))
done
say "$rounds rounds passed"
