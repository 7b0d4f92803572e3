# SPDX-License-Identifier: MIT OR Apache-2.0
# Measurements. Options alone (--quick, --only ...): Vitrine beside its peers, bench/bench.py. --footprint: how little
# memory the lean build takes. A word selects programs that measure Vitrine alone: cli ('vitrine bench'), log; what
# follows goes to them.
need "${PACKAGES_BUILD[@]}"

bench_beside_peers() {
  need_any "${PACKAGES_BENCH[@]}"
  need python3
  configure "$BUILD" -DVITRINE_BENCH=ON
  compile "$BUILD" benches
  python3 bench/bench.py --binaries "$BUILD/bin" --directory "$BUILD/bench-data" "$@"
}

bench_alone() {
  local pattern="$1" program programs=()
  shift
  build_product
  [[ cli != *"$pattern"* ]] || programs+=("$BUILD/bin/vitrine bench $BUILD/bench.vtr")
  configure "$BUILD" -DVITRINE_BENCH=ON
  shopt -s nullglob
  for program in bench/*"$pattern"*_bench.cpp; do
    compile "$BUILD" "$(basename "$program" .cpp)"
    programs+=("$BUILD/bin/$(basename "$program" .cpp)")
  done
  [ ${#programs[@]} -gt 0 ] || fail "bench: nothing matches '$pattern' (cli, or a program of bench/)"
  for program in "${programs[@]}"; do
    say "$(basename "${program%% *}")"
    # shellcheck disable=SC2086
    $program "$@"
  done
}

# The key-value core alone, made small, with both C libraries where musl is there.
bench_footprint() {
  local targets=(footprint)
  need_any musl-tools
  need python3
  configure "$BUILD/lean" -DVITRINE_LEAN=ON
  ! command -v musl-gcc >/dev/null || targets+=(footprint_musl)
  compile "$BUILD/lean" "${targets[@]}"
  python3 bench/footprint.py "$BUILD/lean/bin"
}

case "${1:-}" in
  --footprint) bench_footprint ;;
  "" | -*) bench_beside_peers "$@" ;;
  *) bench_alone "$@" ;;
esac
