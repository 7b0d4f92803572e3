// SPDX-License-Identifier: MIT OR Apache-2.0
// The rows of the table of commands that are about documents.
#include "cli/command_rows.hpp"

#include "cli/commands.hpp"

namespace vitrine::cli {
namespace {

constexpr auto kMayLack = PositionalSpec::Presence::Optional;

OptionRows with(OptionRows first, const OptionRows& rest) {
  first.insert(first.end(), rest.begin(), rest.end());
  return first;
}

CommandSpec insert_row(const OptionRows& writing) {
  return {"insert",
          "insert documents into a collection, and print their ids",
          "Inserts JSON, or without it every line of standard input, in one transaction: all\n"
          "of them or none. The collection is made when it does not exist. An _id that is\n"
          "taken is a conflict (exit 6); a document without _id gets a UUID.",
          {{"DB"}, {"COLLECTION"}, {"JSON", kMayLack}},
          with({{"--create", "", "create DB when it does not exist"}}, writing),
          run_insert};
}

CommandSpec find_row(const OptionRows& reading) {
  return {"find",
          "print the documents that match a filter, one a line",
          "FILTER is a filter of MongoDB; names may stand without quotes: {age: {$gt: 30}}.\n"
          "Documents are printed as relaxed Extended JSON.",
          {{"DB"}, {"COLLECTION"}, {"FILTER", kMayLack}},
          with({{"--sort", "ORDER", "such as {age: -1, name: 1} (default: by id)"},
                {"--skip", "N", "leave out the first N"},
                {"--limit", "N", "at most N documents"},
                {"--project", "FIELDS", "such as {name: 1} or {photo: 0} (default: whole documents)"},
                {"--hint", "NAME", "the index to use, $scan for none (default: the best one)"},
                {"--explain", "", "print how the query is run and what that took instead"},
                {"--canonical", "", "canonical Extended JSON, which keeps the types of numbers"}},
               reading),
          run_find};
}

CommandSpec update_row(const OptionRows& writing) {
  return {"update",
          "change documents by the operators of an update",
          "Changes the first document that matches FILTER, or all with --many, by an update\n"
          "of MongoDB such as {$set: {name: 'Eve'}, $inc: {age: 1}}, in one transaction.",
          {{"DB"}, {"COLLECTION"}, {"FILTER"}, {"UPDATE"}},
          with({{"--many", "", "change all that match"},
                {"--upsert", "", "insert what filter and update say when nothing matches"},
                {"--sort", "ORDER", "which one is the first (default: by id)"}},
               writing),
          run_update};
}

CommandSpec remove_row(const OptionRows& writing) {
  return {"remove",
          "remove the documents that match a filter",
          "All of them in one transaction; {} matches every document.",
          {{"DB"}, {"COLLECTION"}, {"FILTER"}},
          with({{"--limit", "N", "at most N documents, in the order of their ids"}}, writing),
          run_remove};
}

CommandSpec collections_row(const OptionRows& writing) {
  return {"collections",
          "print the names of all collections, or change one",
          "With --drop the collection goes with all its documents, and their number is\n"
          "printed.",
          {{"DB"}},
          with({{"--create", "NAME", "make an empty collection"},
                {"--drop", "NAME", "remove this collection and all its documents"},
                {"--rename", "NAME", "give this collection the name that --to says"},
                {"--to", "NAME", "the new name, with --rename"}},
               writing),
          run_collections};
}

CommandSpec index_row(const OptionRows& writing) {
  return {"index",
          "create, list or drop an index of a collection",
          "ACTION is create (with NAME and KEY, such as {age: 1, name: -1}), list, or drop\n"
          "(with NAME). An interrupted create goes on where it stopped when it is run again.",
          {{"DB"}, {"COLLECTION"}, {"ACTION"}, {"NAME", kMayLack}, {"KEY", kMayLack}},
          with({{"--unique", "", "no two documents have the same values"},
                {"--sparse", "", "leave out documents that have none of the fields"},
                {"--partial", "FILTER", "only documents that match"},
                {"--ttl", "N", "documents expire N seconds after the date in the first field"}},
               writing),
          run_index};
}

CommandSpec shell_row(const OptionRows& writing) {
  return {"shell",
          "run statements such as db.users.find({age: 30}) on a database",
          "Statements come from --eval, from standard input, or are typed; help lists them.\n"
          "Unless they are typed, the first one that fails ends the shell with its exit code.\n"
          "Results are JSON, one value a line; at a terminal some are sentences.",
          {{"DB"}},
          with({{"--eval", "TEXT", "run these statements, separated by ; or new lines; may be repeated", true},
                {"--read-only", "", "change nothing, and work beside a program that writes"}},
               writing),
          run_shell};
}

CommandSpec watch_row(const OptionRows& writing) {
  return {"watch",
          "print changes of documents as they are committed, one a line",
          "First those that are still held, then what comes, until interrupted. Each line is\n"
          "JSON with a token; --after TOKEN goes on behind it. Changes are kept from --keep on.",
          {{"DB"}, {"COLLECTION", kMayLack}, {"FILTER", kMayLack}},
          with({{"--keep", "N", "let writers keep the last N changes, instead of watching"},
                {"--after", "TOKEN", "only changes behind this one"},
                {"--limit", "N", "end after N changes"},
                {"--once", "", "end after what there is now"}},
               writing),
          run_watch};
}

CommandSpec sql_row(const OptionRows& writing) {
  return {"sql",
          "run SQL over collections and the internals of the file",
          "Each collection is a table, and so are vitrine_pages, vitrine_log and the other\n"
          "internals (docs/SQL.md). Without SQL, statements are read from standard input.\n"
          "A statement that writes is a transaction of its own, unless begin and commit say\n"
          "otherwise.",
          {{"DB"}, {"SQL", kMayLack}},
          with({{"--csv", "", "write rows as CSV, with a first line of names"}}, writing),
          run_sql};
}

}  // namespace

std::vector<CommandSpec> document_commands(const OptionRows& reading, const OptionRows& writing) {
  return {
      insert_row(writing),
      find_row(reading),
      {"count",
       "print how many documents match a filter",
       "",
       {{"DB"}, {"COLLECTION"}, {"FILTER", kMayLack}},
       reading,
       run_count},
      update_row(writing),
      remove_row(writing),
      collections_row(writing),
      index_row(writing),
      shell_row(writing),
      watch_row(writing),
      sql_row(writing),
  };
}

}  // namespace vitrine::cli
