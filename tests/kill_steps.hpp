// SPDX-License-Identifier: MIT OR Apache-2.0
// Numbered steps for a process that will be killed: step n changes a database, and a model, in a way that depends on
// nothing but the seed and n. Every step leaves its number behind, so what is found after the kill says how far the
// process came, and the model says what must be there.
//
// Thread safety: none.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "vitrine/vitrine.hpp"

namespace vitrine::testing {

class KillSteps {
 public:
  // keyspace -> key -> value
  using Model = std::map<std::string, std::map<std::string, std::string>>;

  explicit KillSteps(std::uint64_t seed) : seed_(seed) {}

  static Model empty() { return {{"default", {}}}; }
  // Number of the last step that the database has; 0: none.
  static Result<std::uint64_t> last_step(const Database& db);

  // Does step `number`: one transaction, or one import. `scratch` is the path of a file it may make.
  Status perform(Database& db, std::uint64_t number, const std::string& scratch) const;
  void apply(Model& model, std::uint64_t number) const;

 private:
  struct Change {
    std::string keyspace;
    std::string key;
    std::optional<std::string> value;  // nothing: erase
  };
  enum class Kind : std::uint8_t { Write, Drop, Rollback, Import, Replace };
  struct Step {
    Kind kind = Kind::Write;
    Durability durability = Durability::Full;
    std::vector<Change> changes;
  };

  Step step(std::uint64_t number) const;
  static Status write(WriteTransaction& txn, const Step& step);
  static Status import(Database& db, const Step& step, const std::string& scratch);

  std::uint64_t seed_;
};

}  // namespace vitrine::testing
