#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# The main job of ./dev run: puts the package index of this Debian system into a database, looks packages up, kills a
# writer in the middle of its work, reopens, proves that nothing acknowledged was lost, makes documents of the index,
# asks them, and checks every page. Arguments: the program, the folder to work in (build/demo), and the program that
# measures documents beside SQLite, if there is one.
set -euo pipefail
export LC_ALL=C

vitrine="$(realpath "${1:?the program}")"
folder="${2:-$(dirname "$(dirname "$vitrine")")/demo}"
figures="$(realpath -m "${3:-none}")"
mkdir -p "$folder"
folder="$(realpath "$folder")"
db="$folder/packages.vtr"
records_min=1000
kill_after_s=2

step() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || step() { printf '\n%s\n' "$*"; }
show() { # runs a command line of the program, and shows it as it would be typed
  printf '$ vitrine'
  printf ' %q' "${@/#$folder\//}"
  printf '\n'
  "$vitrine" "$@"
}
thousands() { sed ':a;s/\B[0-9]\{3\}\>/,&/;ta' <<<"$1"; }
now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }
die() {
  echo "demo: $*" >&2
  exit 1
}

# One line a package: its name, a tab, and its record with line ends as \n.
package_lines() {
  apt-cache dumpavail | awk 'BEGIN { RS = ""; FS = "\n"; ORS = "\n" }
    {
      name = substr($1, 10)
      if (name == "" || name in seen) next
      seen[name]
      gsub(/\\/, "&&"); gsub(/\t/, "\\t"); gsub(/\n/, "\\n")
      print "package/" name "\t" $0
    }'
}

read_index() {
  package_lines >"$folder/packages.tsv"
  [ "$(wc -l <"$folder/packages.tsv")" -ge "$records_min" ] && return
  echo "the package index of this system is empty; fetching it (apt-get update)"
  if [ "$(id -u)" -eq 0 ]; then apt-get -q update; else sudo apt-get -q update; fi
  package_lines >"$folder/packages.tsv"
  [ "$(wc -l <"$folder/packages.tsv")" -ge "$records_min" ] || die "no package index: apt-cache dumpavail is empty"
}

rm -rf -- "$folder"
mkdir -p "$folder"

step "1. The package index of this system, into a database"
read_index
records="$(wc -l <"$folder/packages.tsv")"
bytes="$(wc -c <"$folder/packages.tsv")"
echo "$(thousands "$records") packages, $(thousands "$bytes") bytes of text"
started="$(now_ms)"
show put "$db" --stdin --create <"$folder/packages.tsv"
load_ms=$(($(now_ms) - started))

step "2. Look packages up, scan a prefix"
show get "$db" package/bash | head -n 6 | cut -c1-110
echo "..."
show list "$db" --prefix package/sqlite3 --keys-only --limit 5
show list "$db" --count
stored="$("$vitrine" list "$db" --count)"
[ "$stored" -eq "$records" ] || die "$stored entries, wanted $records"
show get "$db" package/no-such-package && die "a missing key was found"
echo "(exit code $?: not found)"

step "3. Kill a writer in the middle of its work"
sed 's/^package/burst/' "$folder/packages.tsv" >"$folder/burst.tsv"
echo "every put is a durable commit of its own; --ack prints its key when it is durable"
"$vitrine" put "$db" --stdin --ack <"$folder/burst.tsv" >"$folder/acknowledged.txt" 2>"$folder/writer.txt" &
writer=$!
sleep "$kill_after_s"
kill -9 "$writer" || die "the writer ended by itself: $(cat "$folder/writer.txt")"
wait "$writer" 2>/dev/null || true
acknowledged="$(wc -l <"$folder/acknowledged.txt")"
echo "kill -9 after $kill_after_s s: $(thousands "$acknowledged") commits were acknowledged"
[ "$acknowledged" -gt 0 ] || die "nothing was acknowledged: $(cat "$folder/writer.txt")"

step "4. Reopen: what was acknowledged must be there, value for value"
started="$(now_ms)"
printf 'written after the crash' | show put "$db" after/crash
reopen_ms=$(($(now_ms) - started))
"$vitrine" list "$db" --prefix burst/ | sort >"$folder/found.tsv"
head -n "$acknowledged" "$folder/burst.tsv" | sort >"$folder/wanted.tsv"
lost="$(comm -23 "$folder/wanted.tsv" "$folder/found.tsv" | wc -l)"
found="$(wc -l <"$folder/found.tsv")"
echo "$(thousands "$acknowledged") acknowledged, $(thousands "$found") found, $lost lost"
[ "$lost" -eq 0 ] || die "acknowledged commits were lost"

step "5. The same index as documents, its dependencies as references"
"$(dirname "${BASH_SOURCE[0]}")/package_documents.sh" >"$folder/packages.ndjson"
started="$(now_ms)"
show import "$db" "$folder/packages.ndjson" --collection packages
import_ms=$(($(now_ms) - started))
documents="$("$vitrine" count "$db" packages)"
[ "$documents" -eq "$records" ] || die "$documents documents, wanted $records"
for field in section size maintainer; do show index "$db" packages create "by_$field" "{$field: 1}"; done
show find "$db" packages '{section: "database", size: {$gt: 5000000}}' --sort '{size: -1}' --limit 3 | cut -c1-160
show count "$db" packages '{maintainer: /^Debian Python/, installed_size: {$lt: 100}}'
show shell "$db" --read-only --eval 'db.packages.resolve("bash")' | cut -c1-300
for query in '{section: "database", size: {$gt: 5000000}}' '{size: {$gte: 100000000}}' \
  '{maintainer: "Matthias Klose <doko@debian.org>"}'; do
  show find "$db" packages "$query" --explain
done

show sql "$db" 'select section, count(*) as n, max(size) from packages group by 1 order by n desc limit 5'
for query in 'select _id from packages where size > 100000000 order by size' \
  'select a._id from packages a join packages b on a.maintainer = b.maintainer where b._id = "bash"'; do
  show sql "$db" "explain query plan $query"
done

step "6. Check every page, and every document"
started="$(now_ms)"
show verify "$db" --level deep
verify_ms=$(($(now_ms) - started))

if [ -x "${figures:-}" ]; then
  step "7. The same work by Vitrine and by SQLite, each document and query in microseconds of the processor"
  printf '  %-45s %10s %10s %8s\n' "" vitrine sqlite ratio
  "$figures" "$folder/packages.ndjson" "$folder" |
    sed -E 's/.*"what": "([^"]*)".*"vitrine": \[([^,]*),.*"sqlite": \[([^,]*),.*/\1|\2|\3/' |
    awk -F'|' '{ printf "  %-45s %10.2f %10.2f %8.2f\n", $1, $2, $3, $3 / $2 }'
fi

step "Figures"
load_rate=$((records * 1000 / (load_ms + 1)))
import_rate=$((documents * 1000 / (import_ms + 1)))
file_bytes="$(stat -c %s "$db")"
cat <<TEXT
  loaded           $(thousands "$records") records in $load_ms ms ($(thousands "$load_rate") a second)
  file             $(thousands "$file_bytes") bytes for $(thousands "$bytes") bytes of text and the burst
  durable commits  $(thousands $((acknowledged / kill_after_s))) a second, one writer
  after kill -9    opened and written to in $reopen_ms ms, $lost commits lost
  documents        $(thousands "$documents") imported in $import_ms ms ($(thousands "$import_rate") a second)
  verify           every page in $verify_ms ms

Try next, in $folder
  $vitrine get packages.vtr package/vim
  $vitrine list packages.vtr --prefix package/python3- --keys-only --limit 10
  $vitrine stats packages.vtr
  $vitrine shell packages.vtr
  $vitrine verify packages.vtr --level deep --json
  $vitrine bench bench.vtr
TEXT
