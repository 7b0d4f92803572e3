# SPDX-License-Identifier: MIT OR Apache-2.0
need "${PACKAGES_FORMAT[@]}"
mapfile -t files < <(find include src tests fuzz bench tools -name '*.cpp' -o -name '*.hpp' | sort)
case "${1:-}" in
  --check) clang-format-14 --dry-run -Werror "${files[@]}" && say "${#files[@]} files are formatted" ;;
  "") clang-format-14 -i "${files[@]}" && say "${#files[@]} files formatted" ;;
  *) fail "fmt: unknown argument '$1'" ;;
esac
