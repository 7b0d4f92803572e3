// SPDX-License-Identifier: MIT OR Apache-2.0
// What the tests of the whole engine share: a plain model of a database, the comparison of both, options that make a
// small database cheap to open, and how much a run should do.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "os/env.hpp"
#include "vitrine/vitrine.hpp"

namespace vitrine::testing {

// How much to do: VITRINE_TEST_SCALE=tiny|small|normal|large; normal is what the ordinary test command runs, tiny what
// it repeats with the sanitizers.
enum class Scale : std::uint8_t { Tiny, Small, Normal, Large };
Scale test_scale();
// `tiny` is given where even `small` takes long; otherwise it is the same.
std::uint64_t scaled(std::uint64_t small, std::uint64_t normal, std::uint64_t large,
                     std::optional<std::uint64_t> tiny = std::nullopt);

// VITRINE_SEED, or a fixed one. Prints it once, so that every failure can be repeated.
std::uint64_t test_seed();

struct ModelEntry {
  std::string value;
  std::uint64_t version = 0;
  bool operator==(const ModelEntry&) const = default;
};

// Everything a user can see of a database, by keyspace and key.
using ModelKeyspace = std::map<std::string, ModelEntry>;
using Model = std::map<std::string, ModelKeyspace>;

Model empty_model();  // the keyspace "default" and nothing in it

// Equal content gives equal hashes, of models and of databases alike. The hash is the sum over all keyspaces and
// entries, so an entry more adds hash_of_entry().
std::uint64_t hash_of(const Model& model);
std::uint64_t hash_of_entry(std::string_view keyspace, std::string_view key, std::string_view value,
                            std::uint64_t version);
Result<std::uint64_t> hash_of(const Database& db);
Result<std::uint64_t> hash_of(const Transaction& txn);

// All that can be read of a database, for comparison and for messages.
Result<Model> model_of(const Database& db);
// What differs, in a few words; empty when nothing does.
std::string first_difference(const Model& expected, const Model& found);

// VITRINE_TEST_ENCRYPTED=1: databases made with small_options() are encrypted, under test_secret().
bool tests_are_encrypted();
Secret test_secret();

// The smallest cache and log there are.
Options small_options(os::Env& env);

// Ok when a full check finds nothing at all.
Status verify_clean(const Database& db);

// The same bytes for the same seed, incompressible.
std::string random_bytes(std::uint64_t seed, std::size_t size);

Status test_failure(std::string_view message);

}  // namespace vitrine::testing
