// SPDX-License-Identifier: MIT OR Apache-2.0
// Counters, and what an administrator should know, each with advice. Looks through a read-only engine of its own.
#include <algorithm>

#include "base/try.hpp"
#include "engine/engine.hpp"
#include "inspect/views.hpp"
#include "vitrine/metrics.hpp"

namespace vitrine::inspect {
namespace {

// Leaves of the map of free space that are looked at, evenly spread over a larger one: all of it up to 2 GB at the
// smallest page size.
constexpr std::uint64_t kMapLeavesMax = 16;

Result<std::shared_ptr<engine::Engine>> open_reader(const std::string& path, const Options& options) {
  Options reading = options;
  reading.access = Access::ReadOnly;
  return engine::Engine::open(env_of(options), path, reading);
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

struct Space {
  std::uint64_t pages = 0;
  std::uint64_t pages_free = 0;
  bool is_estimate = false;
};

// Nothing of an encrypted file without its key, or without a header.
std::optional<Space> space_of(SourceFile& source) {
  if (!source.header_status().is_ok() || !source.check_unlocked().is_ok()) return std::nullopt;
  Space space{source.meta().page_count};
  const std::uint64_t span = space::bits_per_leaf(source.page_size());
  const std::uint64_t leaves = (space.pages + span - 1) / span;
  const std::uint64_t step = (leaves + kMapLeavesMax - 1) / kMapLeavesMax;
  MapReader map(source);
  std::uint64_t seen = 0;
  for (std::uint64_t leaf = 0; leaf < leaves; leaf += step) {
    const PageNo end = std::min((leaf + 1) * span, space.pages);
    for (PageNo page = std::max(leaf * span, source.first_page()); page < end; ++page) {
      ++seen;
      if (map.is_allocated(page) == false) ++space.pages_free;
    }
  }
  space.is_estimate = step > 1;
  if (space.is_estimate) {
    const double share = static_cast<double>(space.pages_free) / static_cast<double>(seen);
    space.pages_free = static_cast<std::uint64_t>(share * static_cast<double>(space.pages));
  }
  return space;
}

}  // namespace

Result<Value> cache_view(const std::string& path, const Options& options) {
  const std::shared_ptr<engine::Engine> engine = TRY(open_reader(path, options));
  const Stats stats = TRY(engine->stats(engine::Engine::SpaceStats::Skipped));
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
  const Result<std::shared_ptr<engine::Engine>> opened = open_reader(source.path(), options);
  const std::optional<Space> space = space_of(source);
  Value value = Value::object().add("opens", opened.has_value()).add("error", error_name_value(opened.status()));
  if (opened.has_value()) {
    Stats stats = TRY((*opened)->stats(engine::Engine::SpaceStats::Skipped));
    if (space) {
      stats.pages = space->pages;
      stats.pages_free = space->pages_free;
      stats.pages_allocated = space->pages - space->pages_free;
    }
    value.add("entries", stats.entries);
    value.add("commit_seq", stats.commit_seq).add("checkpoint_age_ms", stats.checkpoint_age_ms);
    for (const HealthWarning& each : warnings_of(stats, TRY((*opened)->info()))) {
      warnings.push_back(warning(each.code, each.message, each.advice));
    }
  }
  if (space) {
    value.add("pages", space->pages).add("pages_free", space->pages_free);
    value.add("pages_free_is_estimate", space->is_estimate);
  }
  return std::move(value).add("warnings", std::move(warnings));
}

}  // namespace vitrine::inspect
