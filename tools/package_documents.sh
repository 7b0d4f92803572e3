#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# The package index of this Debian system as documents, one JSON object a line: the fields of a package by their names,
# its dependencies as references to other packages (of alternatives the first one).
set -euo pipefail
export LC_ALL=C

apt-cache dumpavail | awk 'BEGIN { RS = ""; FS = "\n" }
  function text(value) {
    gsub(/\\/, "&&", value); gsub(/"/, "\\\\&", value); gsub(/[\001-\037\177]/, " ", value)
    return "\"" value "\""
  }
  function references(list, parts, count, i, name, known, json) {
    count = split(list, parts, /, */)
    for (i = 1; i <= count; ++i) {
      name = parts[i]
      sub(/[ (:|\[].*/, "", name)
      if (name == "" || name in known) continue
      known[name]
      json = json (json == "" ? "" : ",") "{\"$ref\":\"packages\",\"$id\":" text(name) "}"
    }
    return "[" json "]"
  }
  {
    split("", field)
    for (i = 1; i <= NF; ++i) {
      colon = index($i, ": ")
      if (colon > 0 && $i !~ /^ /) field[substr($i, 1, colon - 1)] = substr($i, colon + 2)
    }
    name = field["Package"]
    if (name == "" || name in seen) next
    seen[name]
    printf "{\"_id\":%s,\"version\":%s,\"section\":%s,\"maintainer\":%s,\"size\":%d,\"installed_size\":%d,",
           text(name), text(field["Version"]), text(field["Section"]), text(field["Maintainer"]), field["Size"],
           field["Installed-Size"]
    printf "\"description\":%s,\"depends\":%s}\n", text(field["Description"]), references(field["Depends"])
  }'
