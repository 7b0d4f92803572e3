// SPDX-License-Identifier: MIT OR Apache-2.0
// Counters, and what an administrator should know, each with advice. Looks through a read-only handle of its own.
#include "base/try.hpp"
#include "inspect/views.hpp"
#include "vitrine/database.hpp"
#include "vitrine/metrics.hpp"

namespace vitrine::inspect {
namespace {

Result<Database> open_reader(const std::string& path, const Options& options) {
  Options reading = options;
  reading.access = Access::ReadOnly;
  return Database::open(path, OpenMode::MustExist, reading);
}

Value warning(std::string_view code, std::string_view message, std::string_view advice) {
  return Value::object().add("code", code).add("message", message).add("advice", advice);
}

void warn_of_header(SourceFile& source, Value::List& to) {
  if (!source.header_status().is_ok()) {
    to.push_back(warning(source.header_status().name(), source.header_status().message(),
                         "restore a backup, or save what verifies with vitrine salvage"));
    return;
  }
  const format::MetaChoice& choice = source.choice();
  for (unsigned i = 0; i < format::kMetaBlockCount; ++i) {
    if (choice.is_sound(i)) continue;
    to.push_back(warning("HEADER_CHECK_COPY",
                         "header slot " + std::to_string(i / 2) + " copy " + std::to_string(i % 2) + " is damaged",
                         "the next opening for writing renews it; check the disk"));
  }
}

void warn_of_file(SourceFile& source, Value::List& to) {
  if (!source.header_status().is_ok()) return;
  const format::Meta& meta = source.meta();
  if (source.file_bytes() < meta.page_count * meta.page_size) {
    to.push_back(warning("DATABASE_OPEN_TRUNCATED", "the file is shorter than its header says",
                         "restore a backup, or save what verifies with vitrine salvage"));
  }
  if (meta.is_clean()) return;
  if (source.log() == nullptr) {
    to.push_back(warning("LOG_OPEN_MISSING", "the file was not closed in order, and its log is missing",
                         "put the log back beside the file; without it the last commits are lost"));
  }
}

Status warn_of_readers(SourceFile& source, Value::List& to) {
  Request request;
  const Value snapshots = TRY(snapshots_view(source, request));
  for (const Value& held : *snapshots.find("held")->list()) {
    const std::uint64_t age = *held.find("age")->number();
    if (age == 0) continue;
    to.push_back(warning("HEALTH_SNAPSHOT_OLD",
                         "a reader holds a checkpoint that " + std::to_string(age) + " newer ones have followed",
                         "refresh or close the reader; until then its pages and log cannot be reused"));
  }
  return {};
}

// From the map itself: a read-only handle takes all pages for used.
void add_space(SourceFile& source, Value& to) {
  if (!source.header_status().is_ok() || !source.check_unlocked().is_ok()) return;
  MapReader map(source);
  const std::uint64_t pages = source.meta().page_count;
  std::uint64_t free = 0;
  for (PageNo page = source.first_page(); page < pages; ++page) {
    if (map.is_allocated(page) == false) ++free;
  }
  to.add("pages", pages).add("pages_free", free);
}

}  // namespace

Result<Value> cache_view(const std::string& path, const Options& options) {
  const Database db = TRY(open_reader(path, options));
  const Stats stats = TRY(db.stats());
  return Value::object()
      .add("of", "this handle")
      .add("bytes", stats.cache_bytes)
      .add("pages", stats.cache_pages)
      .add("pages_dirty", stats.cache_pages_dirty)
      .add("hits", stats.cache_hits)
      .add("misses", stats.cache_misses)
      .add("evictions", stats.cache_evictions)
      .add("pages_read", stats.pages_read);
}

Result<Value> health_view(SourceFile& source, const Options& options) {
  Value::List warnings;
  warn_of_header(source, warnings);
  warn_of_file(source, warnings);
  if (source.header_status().is_ok()) CHECK(warn_of_readers(source, warnings));
  const Result<Database> db = open_reader(source.path(), options);
  Value value = Value::object().add("opens", db.has_value()).add("error", error_name_value(db.status()));
  if (db.has_value()) {
    const Stats stats = TRY(db->stats());
    value.add("entries", stats.entries);
    value.add("commit_seq", stats.commit_seq).add("checkpoint_age_ms", stats.checkpoint_age_ms);
    for (const HealthWarning& each : warnings_of(stats, TRY(db->info()))) {
      warnings.push_back(warning(each.code, each.message, each.advice));
    }
  }
  add_space(source, value);
  return std::move(value).add("warnings", std::move(warnings));
}

}  // namespace vitrine::inspect
