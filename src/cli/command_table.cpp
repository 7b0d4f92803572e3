// SPDX-License-Identifier: MIT OR Apache-2.0
// The table of commands: what can be typed, and what help and completion say about it. A new option is a new row here
// and a line in docs/man/vitrine.1 (tests/cli/run.py compares the two).
#include <initializer_list>

#include "cli/command_rows.hpp"
#include "cli/commands.hpp"

namespace vitrine::cli {
namespace {

constexpr auto kOptional = PositionalSpec::Presence::Optional;
constexpr int kRowsOfEntries = 6;  // init to keyspaces; documents follow

OptionRows joined(std::initializer_list<OptionRows> groups) {
  OptionRows all;
  for (const OptionRows& group : groups) all.insert(all.end(), group.begin(), group.end());
  return all;
}

const OptionRows kJson{{"--json", "", "write JSON: data to stdout, errors to stderr"}};
const OptionRows kSecret{
    {"--passphrase-stdin", "", "unlock with the first line of standard input"},
    {"--passphrase-fd", "N", "unlock with the first line of descriptor N"},
    {"--keyfile", "FILE", "unlock with the content of FILE"},
    {"--recovery-stdin", "", "unlock with the recovery key in the first line of standard input"},
};
const OptionRows kFreshness{
    {"--min-commit", "TOKEN", "refuse a database without this commit (put --json shows tokens)"},
    {"--anchor", "FILE", "refuse a database behind the commit in FILE; writing moves FILE on"},
    {"--accept-rollback", "", "open although the database is behind or forked"},
};
const OptionRows kOpen =
    joined({{{"--cache-size", "SIZE", "memory for pages, such as 4MiB (default 64MiB)"},
             {"--log-size", "SIZE", "bound of the write-ahead log"},
             {"--lock-timeout", "TIME", "how long to wait for another writer, such as 5s (default 0)"},
             {"--accept-lost-log", "", "open although the log is missing or damaged; what it held is lost"}},
            kSecret,
            kFreshness});
const OptionRows kNewPassphrase{
    {"--new-passphrase-stdin", "", "take the new passphrase from the next line of standard input"},
    {"--new-passphrase-fd", "N", "take the new passphrase from the first line of descriptor N"},
};
const OptionRows kCipher{
    {"--cipher", "aes-256-gcm|chacha20-poly1305", "how (default: what the processor is fast at)"},
};
const OptionRows kPlaintext{{"--plaintext", "", "write the content of an encrypted database unencrypted"}};
const OptionRows kFileSecret{
    {"--file-passphrase-stdin", "", "unlock FILE with the next line of standard input"},
    {"--file-passphrase-fd", "N", "unlock FILE with the first line of descriptor N"},
    {"--file-keyfile", "KEYFILE", "unlock FILE with the content of KEYFILE"},
    {"--file-recovery-stdin", "", "unlock FILE with the recovery key in the next line of stdin"},
    {"--plaintext", "", "put what an encrypted FILE has into a DB that is not encrypted"},
};
const OptionRows kWrite{
    {"--durability", "full|periodic|none", "what a commit survives (default full)"},
    {"--sync-period", "TIME", "how often periodic durability syncs (default 200ms)"},
};
const OptionRows kKeyspace{{"--keyspace", "NAME", "the keyspace to use (default \"default\")"}};
const OptionRows kEncoding{
    {"--hex", "", "keys and values are hexadecimal, in and out"},
    {"--base64", "", "keys and values are base64, in and out"},
};
const OptionRows kRange{
    {"--prefix", "KEY", "only keys that start with KEY"},
    {"--from", "KEY", "only keys from KEY on"},
    {"--to", "KEY", "only keys before KEY"},
};

CommandSpec init_row() {
  return {"init",
          "create an empty database",
          "Creates DB. It is a conflict (exit 6) when the file exists. With --encrypt the\n"
          "unlocking options give its first secret; without them a passphrase is asked for.",
          {{"DB"}},
          joined({{{"--page-size", "SIZE", "a power of two from 4KiB to 64KiB"},
                   {"--encrypt", "", "encrypt pages and log"}},
                  kCipher,
                  kOpen,
                  kJson}),
          run_init};
}

CommandSpec put_row() {
  return {"put",
          "store a value under a key, or many from standard input",
          "The value is VALUE, the content of --file, or standard input when neither is\n"
          "given; files and standard input may hold up to 1 GiB and any bytes.\n"
          "With --stdin every line is KEY<TAB>VALUE, where \\t, \\n, \\\\ and \\xNN stand for\n"
          "bytes, as list writes them. Lines are committed in groups; what was committed\n"
          "stays when a later line is refused.",
          {{"DB"}, {"KEY", kOptional}, {"VALUE", kOptional}},
          joined({{{"--file", "FILE", "read the value from FILE (- for standard input)"},
                   {"--stdin", "", "read KEY<TAB>VALUE lines from standard input"},
                   {"--commit-every", "N", "with --stdin: lines a commit (default 1000; 1 with --ack)"},
                   {"--ack", "", "print each key once its commit is durable"},
                   {"--if-absent", "", "fail (exit 6) when the key exists"},
                   {"--if-version", "N", "fail (exit 6) unless the entry has version N; 0: no entry"},
                   {"--create", "", "create DB when it does not exist"}},
                  kKeyspace,
                  kEncoding,
                  kWrite,
                  kOpen,
                  kJson}),
          run_put};
}

CommandSpec get_row() {
  return {"get",
          "print the value of a key",
          "Prints the bytes of the value and a newline. A missing key prints nothing and\n"
          "exits with 4.",
          {{"DB"}, {"KEY"}},
          joined({{{"--raw", "", "no newline after the value"},
                   {"--file", "FILE", "write the value to FILE instead, without a newline"}},
                  kKeyspace,
                  kEncoding,
                  kOpen,
                  kJson}),
          run_get};
}

CommandSpec delete_row() {
  return {
      "delete",
      "remove a key or a range of keys",
      "Removes KEY (exit 4 when it is missing), or in one transaction all keys that\n"
      "--prefix, --from and --to select together.",
      {{"DB"}, {"KEY", kOptional}},
      joined({kRange, {{"--all", "", "remove every key of the keyspace"}}, kKeyspace, kEncoding, kWrite, kOpen, kJson}),
      run_delete};
}

CommandSpec list_row() {
  return {"list",
          "print entries in key order, KEY<TAB>VALUE",
          "TAB, newline and backslash appear as \\t, \\n and \\\\, control characters and bytes\n"
          "that are not UTF-8 as \\xNN; put --stdin reads the same form. With --json every\n"
          "entry is one JSON object on its own line.",
          {{"DB"}},
          joined({kRange,
                  {{"--limit", "N", "at most N entries"},
                   {"--reverse", "", "from the last key to the first"},
                   {"--keys-only", "", "print keys without values"},
                   {"--count", "", "print how many entries there are instead"}},
                  kKeyspace,
                  kEncoding,
                  kOpen,
                  kJson}),
          run_list};
}

CommandSpec keyspaces_row() {
  return {"keyspaces",
          "print the names of all keyspaces, or remove one",
          "With --drop the keyspace goes with all its entries, in one transaction, and\n"
          "their number is printed. The keyspace \"default\" stays; delete --all empties it.",
          {{"DB"}},
          joined({{{"--drop", "NAME", "remove this keyspace and all its entries"}}, kWrite, kOpen, kJson}),
          run_keyspaces};
}

CommandSpec verify_row() {
  return {"verify",
          "check a database and list every finding",
          "quick: header, log, free space. full: every page as well, the order of keys, and\n"
          "that each page has exactly one owner. deep: also what entries mean to the layers\n"
          "above. Exit 0: clean; 10: something was found; 3: not everything could be looked\n"
          "at, which is not clean. Integrity, completeness and freshness are three answers:\n"
          "--min-commit and --anchor tell whether an older state was put back.",
          {{"DB"}},
          joined({{{"--level", "quick|full|deep", "how much to check (default full)"},
                   {"--explain", "", "first explain each page: what it is, who points to it, its state"},
                   {"--from", "PAGE", "with --explain: the first page"},
                   {"--limit", "N", "with --explain: at most N pages"}},
                  kOpen,
                  kJson}),
          run_verify};
}

CommandSpec stats_row() {
  return {"stats",
          "print counters, latencies and warnings",
          "Counters are those of the handle that the command opens: of a writer in another\n"
          "process it sees what the files and locks show, such as commits, log, checkpoints\n"
          "and space. --watch prints a line each second; docs/METRICS.md explains each number.",
          {{"DB"}},
          joined({{{"--openmetrics", "", "write OpenMetrics text"},
                   {"--watch", "", "go on until interrupted, a line for each interval"},
                   {"--interval", "TIME", "with --watch: how often (default 1s)"},
                   {"--ticks", "N", "with --watch: end after N lines"}},
                  kOpen,
                  kJson}),
          run_stats};
}

CommandSpec inspect_row() {
  return {"inspect",
          "explain what stands in a file, also in a damaged one",
          "VIEW is header, pages, page (with a number: inspect page N DB), log, tree, keys,\n"
          "catalog, space, snapshots, cache or health. Nothing is opened for writing, and\n"
          "the file may be in use or damaged. With --json the answer is one object with\n"
          "schema, command, ok, payload and error; docs/schemas describes each. --from takes\n"
          "what \"next\" of the answer before says: a page, a log position or a key.",
          {{"VIEW"}, {"N|DB"}, {"DB", kOptional}},
          joined({{{"--from", "POSITION", "where to start; for tree: the page of the node"},
                   {"--limit", "N", "at most N rows (default 100)"},
                   {"--show", "structure|keys|values", "what to show (default keys; of an encrypted file structure)"}},
                  kSecret,
                  kJson}),
          run_inspect};
}

CommandSpec salvage_row() {
  return {"salvage",
          "save what still verifies of a damaged file into a new one",
          "Everything whose pages verify goes into FILE, which must not exist: from the\n"
          "tree, from leaves that nothing leads to any more, and from the log. DB is only\n"
          "read. The report says what was found, what is lost, and why.",
          {{"DB"}, {"FILE", kOptional}},
          joined({{{"--dry-run", "", "only say what would be found"}}, kSecret, kJson}),
          run_salvage};
}

CommandSpec view_row() {
  return {"view",
          "look through a file in a terminal, also while it is in use",
          "Panels for header, pages, one page with its bytes, tree, log, keys, space,\n"
          "snapshots and findings. Press ? for the keys. Nothing is opened for writing. Of an\n"
          "encrypted file the passphrase is asked for; Enter alone looks from outside.",
          {{"DB"}},
          joined({{{"--watch", "", "look again and again, and mark what changed"},
                   {"--interval", "TIME", "with --watch: how often (default 1s)"}},
                  kSecret,
                  kJson}),
          run_view};
}

CommandSpec diff_row() {
  return {"diff",
          "tell what changed from one database file to another",
          "From DB to FILE, such as a backup and the living file; or with --checkpoints from\n"
          "the older checkpoint that DB still holds to the newest. A row for each key and\n"
          "each run of pages, then the counts. Keys under pages that cannot be read are\n"
          "unknown. Of encrypted files without a secret only the places of pages are\n"
          "compared. With --json one line a row; docs/schemas/diff.json describes them.",
          {{"DB"}, {"FILE", kOptional}},
          joined({{{"--checkpoints", "", "compare the two checkpoints of DB"},
                   {"--by", "keys|pages|both", "what to compare (default both)"},
                   {"--show", "structure|keys|values", "what to show (default keys; of an encrypted file structure)"}},
                  kSecret,
                  kJson}),
          run_diff};
}

CommandSpec repair_row() {
  return {"repair",
          "repair in place what verify calls a warning",
          "A damaged copy of the header is written again from the good one, and pages that\n"
          "nothing leads to become free. A file with damage is left exactly as it is (exit\n"
          "10): restore a backup, or use salvage.",
          {{"DB"}},
          joined({{{"--dry-run", "", "only say what would be done"}}, kOpen, kJson}),
          run_repair};
}

CommandSpec hex_row() {
  return {"hex",    "print the bytes of a page with the meaning of each field", "",
          {{"DB"}}, joined({{{"--page", "N", "the page"}}, kSecret, kJson}),    run_hex};
}

const OptionRows kFormat{
    {"--collection", "NAME", "only this collection, in a format of other programs"},
    {"--format", "json|ndjson|csv|tsv|bson", "the format (default: what the name of FILE says)"},
};

CommandSpec export_row() {
  return {"export",
          "write all entries, or the documents of a collection, to a file",
          "FILE must not exist. That of an encrypted database is unlocked with the same keys,\n"
          "unless --plaintext asks for one without encryption. With --collection FILE may be -\n"
          "for standard output, the documents are those of one moment, and FILE is never\n"
          "encrypted: that must be asked for.",
          {{"DB"}, {"FILE"}},
          joined({kFormat,
                  {{"--filter", "FILTER", "only documents that match"},
                   {"--fields", "LIST", "columns of CSV, such as name,address.city (default: all)"},
                   {"--canonical", "", "canonical Extended JSON, which keeps the types of numbers"}},
                  kPlaintext,
                  kOpen,
                  kJson}),
          run_export};
}

CommandSpec import_row() {
  return {"import",
          "put the entries of an export file, or documents, into a database",
          "All or nothing: a damaged file, one cut anywhere, or an interrupt changes nothing.\n"
          "An encrypted file is unlocked with what unlocks DB, or else with its own secret.\n"
          "With --collection FILE has documents, and may be - for standard input: a JSON\n"
          "array or JSON objects, one JSON object a line, CSV or TSV with names in the first\n"
          "row, or BSON as mongodump writes it.",
          {{"DB"}, {"FILE"}},
          joined({kFormat,
                  {{"--types", "bare|all|none", "cells of CSV that may be numbers (default bare: without quotes)"},
                   {"--on-error", "stop|skip|report", "what a document that is refused does (default stop)"},
                   {"--batch", "N", "commit after every N documents (default: at the end)"},
                   {"--upsert", "", "replace documents with the same _id"},
                   {"--replace", "", "remove all that is in the database, or the collection, first"},
                   {"--create", "", "create DB when it does not exist"}},
                  kFileSecret,
                  kWrite,
                  kOpen,
                  kJson}),
          run_import};
}

CommandSpec key_row() {
  return {"key",
          "list, add, change and remove the keys of an encrypted database",
          "ACTION is list, add-passphrase, add-recovery, add-keyfile, remove (with SLOT),\n"
          "change-passphrase or rotate. Up to 16 keys unlock a database; the last one stays.\n"
          "A recovery key is shown once, by add-recovery. Copies of the file that were made\n"
          "before a key was removed or changed can still be unlocked with it. rotate writes\n"
          "every page anew under a new master key, with the key it was unlocked with alone,\n"
          "while others read; stopped half-way, it goes on when it is called again.",
          {{"ACTION"}, {"DB"}, {"SLOT", kOptional}},
          joined({kNewPassphrase,
                  {{"--new-keyfile", "FILE", "the key file to add"},
                   {"--drop-other-keys", "", "with rotate: let all other keys go"}},
                  kOpen,
                  kJson}),
          run_key};
}

CommandSpec encrypt_row() {
  return {"encrypt",
          "encrypt a database that is not",
          "The file is written anew and takes the place of the old one; a crash leaves the\n"
          "one or the other. The unlocking options give its first secret; without them a\n"
          "passphrase is asked for. Nobody else may have DB open. Blocks of the old file may\n"
          "stay on the disk.",
          {{"DB"}},
          joined({kCipher, kNewPassphrase, kOpen, kJson}),
          run_encrypt};
}

CommandSpec bench_row() {
  return {"bench",
          "measure this machine on a database of its own",
          "Creates DB, which must not exist, measures, and removes it again. Durable puts\n"
          "stand beside a bare loop of fdatasync on a file written in advance.",
          {{"DB"}},
          joined({{{"--records", "N", "entries to load (default 1000000)"},
                   {"--value-size", "SIZE", "bytes of a value (default 100)"},
                   {"--threads", "LIST", "threads that put durably, such as 1,8,32 (the default)"},
                   {"--seconds", "N", "how long each durable test runs (default 3)"},
                   {"--keep", "", "leave the database there"},
                   {"--page-size", "SIZE", "a power of two from 4KiB to 64KiB"}},
                  kOpen,
                  kJson}),
          run_bench};
}

std::vector<CommandSpec> make_commands() {
  const OptionRows plain = joined({kOpen, kJson});
  std::vector<CommandSpec> rows{
      init_row(),
      put_row(),
      get_row(),
      delete_row(),
      list_row(),
      keyspaces_row(),
      stats_row(),
      {"info", "print what a database is", "", {{"DB"}}, plain, run_info},
      verify_row(),
      inspect_row(),
      hex_row(),
      diff_row(),
      view_row(),
      salvage_row(),
      repair_row(),
      {"checkpoint", "move what is in the log into the database file", "", {{"DB"}}, plain, run_checkpoint},
      {"compact", "pack thinly filled pages; the freed space is reused", "", {{"DB"}}, plain, run_compact},
      {"vacuum", "shrink the file to what it holds", "", {{"DB"}}, plain, run_vacuum},
      {"backup",
       "copy a database, also while a writer writes",
       "FILE, which must not exist, becomes a database of its own. A copy of an encrypted\n"
       "database is unlocked with the same keys.",
       {{"DB"}, {"FILE"}},
       joined({kPlaintext, plain}),
       run_backup},
      export_row(),
      import_row(),
      key_row(),
      encrypt_row(),
      {"decrypt",
       "write an encrypted database unencrypted, in its place",
       "A crash leaves the old file or the new one. Nobody else may have DB open.",
       {{"DB"}},
       plain,
       run_decrypt},
      bench_row(),
      {"errors",
       "print every error, its exit code, and what to do",
       "With NAME only that one.",
       {{"NAME", kOptional}},
       kJson,
       run_errors},
      {"completion",
       "print a completion script for a shell",
       "SHELL is bash, zsh or fish.",
       {{"SHELL"}},
       kJson,
       run_completion},
  };
  const std::vector<CommandSpec> on_documents = document_commands(plain, joined({kWrite, kOpen, kJson}));
  rows.insert(rows.begin() + kRowsOfEntries, on_documents.begin(), on_documents.end());
  return rows;
}

}  // namespace

const std::vector<CommandSpec>& commands() {
  static const std::vector<CommandSpec> table = make_commands();
  return table;
}

const CommandSpec* find_command(std::string_view name) noexcept {
  for (const CommandSpec& command : commands()) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

}  // namespace vitrine::cli
