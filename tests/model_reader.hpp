// SPDX-License-Identifier: MIT OR Apache-2.0
// Random reads of one transaction, each compared with the model: every way there is to look at an entry or a range.
// Thread safety: none.
#pragma once

#include "tests/model_content.hpp"

namespace vitrine::testing {

class ModelReader {
 public:
  // `checked` counts what was compared. All must outlive the reader.
  ModelReader(const Transaction& txn, const PieceContent& content, const std::vector<std::string>& keys,
              base::Prng& random, std::uint64_t& checked)
      : txn_(txn), content_(content), keys_(keys), random_(random), checked_(checked) {}

  void read_something();
  void get();
  void walk();
  void scan();
  const PieceContent::value_type& any_keyspace();
  // A key of the keyspace when `known` and it has one, else any of those the run uses.
  const std::string& any_key(const PieceKeyspace& keyspace, bool known);

 private:
  void get_one(const PieceKeyspace& keyspace, const std::string& key, const PieceEntry* entry);
  void stream(const PieceKeyspace& keyspace, const std::string& key, const PieceEntry* entry);
  void walk_from(CheckedCursor& cursor, const std::string& key);
  ScanOptions any_range(std::string& prefix);

  const Transaction& txn_;
  const PieceContent& content_;
  const std::vector<std::string>& keys_;
  base::Prng& random_;
  std::uint64_t& checked_;
  ByteString buffer_;
};

}  // namespace vitrine::testing
