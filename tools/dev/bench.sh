# SPDX-License-Identifier: MIT OR Apache-2.0
# Measurements: `vitrine bench` on a database of its own, then every program of bench/. An argument selects those whose
# name contains it; what follows goes to the programs.
pattern="${1:-}"
[ $# -gt 0 ] && shift
build_product
compile "$BUILD" benches
shopt -s nullglob
programs=()
[[ cli != *"$pattern"* ]] || programs+=("$BUILD/bin/vitrine bench $BUILD/bench.vtr")
programs+=("$BUILD"/bin/*"$pattern"*_bench)
[ ${#programs[@]} -gt 0 ] || fail "bench: nothing matches '$pattern' (cli, or a program of bench/)"
for program in "${programs[@]}"; do
  say "$(basename "${program%% *}")"
  # shellcheck disable=SC2086
  $program "$@"
done
