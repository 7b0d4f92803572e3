# SPDX-License-Identifier: MIT OR Apache-2.0
# The clang build with ASan, UBSan and libFuzzer, and how its targets run. Sourced by fuzz.sh and test.sh.

configure_asan() {
  configure "$BUILD/asan" -DCMAKE_CXX_COMPILER=clang++-14 -DVITRINE_SANITIZE=address,undefined -DVITRINE_FUZZ=ON \
    -DVITRINE_BENCH=OFF
}

fuzz_targets() { grep . "$BUILD/asan/fuzz_targets.txt" || true; }

# fuzz_run TARGET SECONDS SCRATCH: starts from the kept corpus; inputs that reach new code go to SCRATCH, those that
# fail get names starting with FUZZ_ARTIFACTS.
fuzz_run() {
  local target="$1" seconds="$2" scratch="$3" kept="fuzz/corpus/${1%_fuzz}"
  mkdir -p "$kept"
  "$BUILD/asan/bin/$target" -max_total_time="$seconds" -max_len=32768 -rss_limit_mb=2048 -timeout=20 -verbosity=0 \
    -artifact_prefix="$FUZZ_ARTIFACTS" "$scratch" "$kept"
}

# fuzz_grow TARGET SECONDS: as fuzz_run, and keeps what it found.
fuzz_grow() {
  local target="$1" seconds="$2" kept="fuzz/corpus/${1%_fuzz}" scratch result=0
  scratch="$(mktemp -d)"
  FUZZ_ARTIFACTS="$kept/" fuzz_run "$target" "$seconds" "$scratch" || result=1
  "$BUILD/asan/bin/$target" -merge=1 -verbosity=0 "$kept" "$scratch" || result=1
  rm -rf -- "$scratch"
  return "$result"
}
