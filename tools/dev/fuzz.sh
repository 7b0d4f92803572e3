# SPDX-License-Identifier: MIT OR Apache-2.0
# Fuzzes with libFuzzer under ASan and UBSan. The corpus in fuzz/corpus/<target>/ is kept in the repository: inputs that
# reach new code are added to it, an input that fails is kept as crash-* and makes every later test run fail until the
# cause is gone.
source tools/dev/fuzz_common.sh
seconds=60
targets=()
while [ $# -gt 0 ]; do
  case "$1" in
    --seconds) seconds="${2:?seconds}" && shift 2 ;;
    -*) fail "fuzz: unknown argument '$1'" ;;
    *) targets+=("$1") && shift ;;
  esac
done
need "${PACKAGES_BUILD[@]}" "${PACKAGES_CLANG[@]}"
configure_asan
compile "$BUILD/asan" fuzz_targets
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(fuzz_targets)
for target in "${targets[@]}"; do
  say "fuzzing $target for $seconds s"
  fuzz_grow "$target" "$seconds" || fail "fuzz: $target found something: fuzz/corpus/${target%_fuzz}/crash-*"
done
