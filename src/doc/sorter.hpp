// SPDX-License-Identifier: MIT OR Apache-2.0
// Holds the documents that may still be in a sorted answer.
#pragma once

#include <algorithm>
#include <vector>

#include "doc/query.hpp"

namespace vitrine::doc {

// The first `skip + limit` of the documents given so far, with their keys. Equal ones stay in the order of their ids.
class Sorter {
 public:
  explicit Sorter(const Query& query) : query_(query) {
    const std::uint64_t room = ~std::uint64_t{0} - query.skip;
    wanted_ = query.skip + std::min(query.limit, room);
  }

  Status add(ByteString key, Bytes id, Bytes bson, std::uint64_t version) {
    rows_.push_back({std::move(key), ByteString(id), ByteString(bson), version});
    bytes_ += size_of(rows_.back());
    // Half of them go at a time, so that the work stays in proportion.
    if (rows_.size() / 2 > wanted_) keep_wanted();
    if (bytes_ > query_.bytes_max) keep_wanted();
    if (bytes_ <= query_.bytes_max) return {};
    return Status::error(ErrorCode::BudgetExhausted, "the documents to sort need more memory than allowed");
  }

  std::uint64_t visit(RecordFunction visit) {
    std::sort(rows_.begin(), rows_.end(), before);
    std::uint64_t count = 0;
    for (std::uint64_t i = query_.skip; i < rows_.size() && i < wanted_; ++i) {
      ++count;
      if (!visit(rows_[i].bson, rows_[i].version)) break;
    }
    return count;
  }

 private:
  struct Row {
    ByteString key, id;
    ByteString bson;
    std::uint64_t version;
  };

  static bool before(const Row& a, const Row& b) {
    const int keys = a.key.compare(b.key);
    return keys != 0 ? keys < 0 : a.id < b.id;
  }
  static std::uint64_t size_of(const Row& row) noexcept {
    return sizeof(Row) + row.key.size() + row.id.size() + row.bson.size();
  }

  void keep_wanted() {
    if (rows_.size() <= wanted_) return;
    const auto end = rows_.begin() + static_cast<std::ptrdiff_t>(wanted_);
    std::nth_element(rows_.begin(), end, rows_.end(), before);
    rows_.erase(end, rows_.end());
    bytes_ = 0;
    for (const Row& row : rows_) bytes_ += size_of(row);
  }

  const Query& query_;
  std::uint64_t wanted_ = 0;
  std::vector<Row> rows_;
  std::uint64_t bytes_ = 0;
};

}  // namespace vitrine::doc
