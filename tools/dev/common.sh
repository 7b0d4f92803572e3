# SPDX-License-Identifier: MIT OR Apache-2.0
# Shared by the commands: packages, configuring, building. Sourced by ./dev, in the root of the tree.

BUILD="${VITRINE_BUILD_DIR:-build}"
JOBS="${VITRINE_JOBS:-$(nproc)}"

# Debian packages, each only because something below uses it.
PACKAGES_BUILD=(g++ cmake ninja-build pkg-config libxxhash-dev libssl-dev libargon2-dev libbson-dev
  libsimdjson-dev libre2-dev libsqlite3-dev libintelrdfpmath-dev libncurses-dev libedit-dev
  libgtest-dev nlohmann-json3-dev)
PACKAGES_TEST=(tmux python3 python3-jsonschema python3-xxhash valgrind)
PACKAGES_CLANG=(clang-14 libclang-rt-14-dev llvm-14)
PACKAGES_FORMAT=(clang-format-14)
# Peers of ./dev bench. Whichever cannot be installed is left out of the measurement.
PACKAGES_BENCH=(liblmdb-dev libleveldb-dev librocksdb-dev libsqlite3-dev libsqlcipher-dev libdb5.3-dev
  libwiredtiger-dev libtkrzw-dev)

say() { printf '== %s\n' "$*"; }
fail() {
  printf 'dev: %s\n' "$*" >&2
  exit 1
}

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# need PACKAGE...: installs those that are missing, and says so. Does nothing when all are there.
need() {
  local package missing=()
  if ! command -v dpkg-query >/dev/null; then
    say "not a Debian system: expecting $* to be there under other names"
    return 0
  fi
  for package in "$@"; do is_installed "$package" || missing+=("$package"); done
  [ ${#missing[@]} -eq 0 ] && return 0

  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "missing packages: ${missing[*]} (install them as root; there is no sudo)"
    as_root=(sudo)
  fi
  say "installing Debian packages: ${missing[*]}"
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y)
  "${apt[@]}" update
  "${apt[@]}" install --no-install-recommends "${missing[@]}"
}

# need_any PACKAGE...: the same one by one, going on without those that cannot be installed.
need_any() {
  local package
  for package in "$@"; do
    is_installed "$package" || (need "$package") || say "going on without $package"
  done
}

# configure FOLDER CMAKE_ARGS...: quick when nothing changed. Several sources are compiled together, which takes a third
# of the time from nothing, and more after a change: VITRINE_UNITY=OFF compiles them one by one.
configure() {
  local folder="$1"
  shift
  say "configuring $folder"
  cmake -G Ninja -S . -B "$folder" --log-level=WARNING \
    -DCMAKE_UNITY_BUILD="${VITRINE_UNITY:-ON}" "$@" >/dev/null
}

# compile FOLDER TARGET...: all targets when none is named.
compile() {
  local folder="$1"
  shift
  say "building $folder"
  cmake --build "$folder" -j "$JOBS" ${1:+--target "$@"}
}

build_product() {
  need "${PACKAGES_BUILD[@]}"
  configure "$BUILD"
  local targets=(vitrine)
  [ -f src/cli/main.cpp ] && targets+=(vitrine_program)
  compile "$BUILD" "${targets[@]}"
}
