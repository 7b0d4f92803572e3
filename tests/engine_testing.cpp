// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tests/engine_testing.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "base/prng.hpp"
#include "base/try.hpp"
#include "os/sim_bytes.hpp"

namespace vitrine::testing {
namespace {

std::uint64_t hash_of_text(std::string_view text) {
  return std::hash<std::string_view>()(text) ^ os::sim_mix(text.size() + 1);
}

std::uint64_t hash_of_entry(std::uint64_t keyspace, std::string_view key, std::string_view value,
                            std::uint64_t version) {
  return os::sim_mix(keyspace +
                     os::sim_mix(hash_of_text(key) + os::sim_mix(hash_of_text(value) + os::sim_mix(version))));
}

// Calls visit(keyspace name, key, value, version) for every entry, and enter(name) for every keyspace.
template <typename Enter, typename Visit>
Status walk(const Transaction& txn, Enter&& enter, Visit&& visit) {
  for (const KeyspaceInfo& info : TRY(txn.keyspaces())) {
    enter(info.name);
    Cursor cursor = txn.cursor(info.keyspace);
    CHECK(cursor.seek_first());
    while (cursor.is_valid()) {
      visit(cursor.key(), TRY(cursor.value()), cursor.version());
      CHECK(cursor.next());
    }
  }
  return {};
}

std::string shown(std::string_view key) {
  return std::string(key.substr(0, 20)) + (key.size() > 20 ? "..." : "") + " (" + std::to_string(key.size()) +
         " bytes)";
}

}  // namespace

Scale test_scale() {
  const char* text = std::getenv("VITRINE_TEST_SCALE");
  const std::string_view usual = tests_are_encrypted() ? "small" : "normal";  // they run without encryption, too
  const std::string_view scale = text == nullptr ? usual : text;
  if (scale == "tiny") return Scale::Tiny;
  return scale == "small" ? Scale::Small : scale == "large" ? Scale::Large : Scale::Normal;
}

std::uint64_t scaled(std::uint64_t small, std::uint64_t normal, std::uint64_t large,
                     std::optional<std::uint64_t> tiny) {
  switch (test_scale()) {
    case Scale::Tiny:
      return tiny.value_or(small);
    case Scale::Small:
      return small;
    case Scale::Large:
      return large;
    case Scale::Normal:
      break;
  }
  return normal;
}

std::uint64_t test_seed() {
  static const std::uint64_t seed = [] {
    const char* text = std::getenv("VITRINE_SEED");
    const std::uint64_t chosen = text == nullptr ? 1 : std::strtoull(text, nullptr, 10);
    std::printf("seed: %llu (VITRINE_SEED)\n", static_cast<unsigned long long>(chosen));
    return chosen;
  }();
  return seed;
}

Model empty_model() { return {{"default", {}}}; }

std::uint64_t hash_of_entry(std::string_view keyspace, std::string_view key, std::string_view value,
                            std::uint64_t version) {
  return hash_of_entry(hash_of_text(keyspace), key, value, version);
}

std::uint64_t hash_of(const Model& model) {
  std::uint64_t hash = 0;
  for (const auto& [name, entries] : model) {
    const std::uint64_t keyspace = hash_of_text(name);
    hash += os::sim_mix(keyspace);
    for (const auto& [key, entry] : entries) hash += hash_of_entry(keyspace, key, entry.value, entry.version);
  }
  return hash;
}

Result<std::uint64_t> hash_of(const Transaction& txn) {
  std::uint64_t hash = 0;
  std::uint64_t keyspace = 0;
  const auto enter = [&](const std::string& name) {
    keyspace = hash_of_text(name);
    hash += os::sim_mix(keyspace);
  };
  const auto visit = [&](Bytes key, Bytes value, std::uint64_t version) {
    hash += hash_of_entry(keyspace, key, value, version);
  };
  CHECK(walk(txn, enter, visit));
  return hash;
}

Result<std::uint64_t> hash_of(const Database& db) {
  const ReadTransaction txn = TRY(db.begin_read());
  return hash_of(static_cast<const Transaction&>(txn));
}

Result<Model> model_of(const Database& db) {
  const ReadTransaction txn = TRY(db.begin_read());
  Model model;
  ModelKeyspace* keyspace = nullptr;
  CHECK(walk(
      txn, [&](const std::string& name) { keyspace = &model[name]; },
      [&](Bytes key, Bytes value, std::uint64_t version) {
        keyspace->insert_or_assign(std::string(key), ModelEntry{std::string(value), version});
      }));
  return model;
}

std::string first_difference(const Model& expected, const Model& found) {
  for (const auto& [name, keyspace] : expected) {
    const auto there = found.find(name);
    if (there == found.end()) return "keyspace " + shown(name) + " is missing";
    for (const auto& [key, entry] : keyspace) {
      const auto other = there->second.find(key);
      if (other == there->second.end()) return "key " + shown(key) + " is missing";
      if (!(other->second == entry)) return "key " + shown(key) + " has another value or version";
    }
    for (const auto& [key, entry] : there->second) {
      if (keyspace.count(key) == 0) return "key " + shown(key) + " should not be there";
    }
  }
  for (const auto& [name, keyspace] : found) {
    if (expected.count(name) == 0) return "keyspace " + shown(name) + " should not be there";
  }
  return {};
}

Options small_options(os::Env& env) {
  Options options;
  options.cache_size = 1u << 20;
  options.log_size_max = 1u << 20;
  options.log_segment_size = 16u << 10;
  options.page_size = 4096;
  options.env = &env;
  if (tests_are_encrypted()) options.secret = test_secret();
  return options;
}

bool tests_are_encrypted() {
  const char* const wanted = std::getenv("VITRINE_TEST_ENCRYPTED");
  return wanted != nullptr && std::string_view(wanted) == "1";
}

Secret test_secret() { return Secret::raw_key("0123456789abcdef0123456789abcdef").value(); }

Status verify_clean(const Database& db) {
  const VerifyReport report = TRY(db.verify(VerifyLevel::Full));
  if (report.is_clean()) return {};
  Status status = test_failure(report.is_complete ? "verify found something" : "verify could not look at everything");
  status = status.with("findings", report.findings.size());
  constexpr std::size_t kMostShown = 5;
  for (std::size_t i = 0; i < std::min(kMostShown, report.findings.size()); ++i) {
    const Finding& finding = report.findings[i];
    status = status.with(finding.code, "page " + std::to_string(finding.page) + ": " + finding.message);
  }
  return status;
}

std::string random_bytes(std::uint64_t seed, std::size_t size) {
  base::Prng random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.next() & 0xff);
  return bytes;
}

Status test_failure(std::string_view message) { return Status::error(ErrorCode::InternalBug, message); }

}  // namespace vitrine::testing
