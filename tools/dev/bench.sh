# SPDX-License-Identifier: MIT OR Apache-2.0
# Runs every program of bench/ whose name contains the first argument; the rest goes to the programs.
pattern="${1:-}"
[ $# -gt 0 ] && shift
need "${PACKAGES_BUILD[@]}"
configure "$BUILD"
compile "$BUILD" benches
shopt -s nullglob
programs=("$BUILD"/bin/*"$pattern"*_bench)
[ ${#programs[@]} -gt 0 ] || fail "bench: no program matches '$pattern'"
for program in "${programs[@]}"; do
  say "$(basename "$program")"
  "$program" "$@"
done
