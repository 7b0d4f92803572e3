// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/index_scan.hpp"

#include <algorithm>

#include "base/try.hpp"

namespace vitrine::doc {
namespace {

// Equal keys that are read downwards are held until all are there, but not more than this.
constexpr std::size_t kGroupBytesMax = std::size_t{1} << 20;

struct StoreRange {
  ByteString begin, end;
};

StoreRange store_range(const Index& index, const KeyRange& range, bool is_equality) {
  if (!is_equality) return {entry_position(index, range.low), entry_position_after(index, range.high)};
  StoreRange entries{entry_prefix(index, range.low), {}};
  entries.end = after_prefix(entries.begin);
  return entries;
}

class Scanner {
 public:
  Scanner(const kv::StoreReader& txn, const Index& index, const IndexScan& scan, std::uint64_t& examined,
          IndexVisitor visit)
      : txn_(txn), index_(index), scan_(scan), examined_(examined), visit_(visit) {}

  Status run() {
    for (std::size_t i = 0; i < scan_.ranges.size() && !is_stopped_; ++i) {
      range_ = &scan_.ranges[scan_.reverse ? scan_.ranges.size() - 1 - i : i];
      StoreRange entries = store_range(index_, *range_, scan_.is_equality);
      if (!scan_.reverse || scan_.is_equality) {
        CHECK(read_up(entries));
      } else {
        CHECK(read_down(std::move(entries)));
      }
    }
    return {};
  }

 private:
  struct Held {
    ByteString key, id;
    bool is_exact;
  };

  // Hands on; false to stop.
  bool emit(const IndexEntryView& entry) {
    is_stopped_ = !visit_(entry);
    return !is_stopped_;
  }

  bool is_in_range(const IndexEntryView& entry) const {
    // The bounds of the store are exact for what is whole.
    if (!entry.is_cut && range_->low.size() <= kIndexHeadMax && range_->high.size() <= kIndexHeadMax) return true;
    return range_->low <= entry.key && entry.key < range_->high;
  }

  bool is_same_group(const IndexEntryView& entry) const {
    const Bytes group = held_.front().key;
    if (entry.is_cut) return group.substr(0, kIndexHeadMax) == entry.key.substr(0, kIndexHeadMax);
    return group == entry.key;
  }

  bool hold(const IndexEntryView& entry) {
    held_.push_back({ByteString(entry.key), ByteString(entry.id), entry.is_exact});
    held_bytes_ += sizeof(Held) + entry.key.size() + entry.id.size();
    if (held_bytes_ <= scan_.bytes_max) return true;
    failed_ = Status::error(ErrorCode::BudgetExhausted, "long keys to put in order need more memory than allowed");
    return false;
  }

  // Puts in order and hands on what is held.
  bool release() {
    std::vector<Held> held = std::exchange(held_, {});
    held_bytes_ = 0;
    std::sort(held.begin(), held.end(), [&](const Held& a, const Held& b) {
      const int keys = a.key.compare(b.key);
      return keys != 0 ? (keys < 0) != scan_.reverse : a.id < b.id;
    });
    for (const Held& entry : held) {
      if (!emit({entry.key, entry.id, true, entry.is_exact})) return false;
    }
    return true;
  }

  // Reads an entry of the store; false on damage.
  bool decode(Bytes key, Bytes value, IndexEntryView& entry) {
    ++examined_;
    Result<IndexEntryView> decoded = read_entry(key, value);
    failed_ = decoded.status();
    if (decoded.has_value()) entry = *decoded;
    return decoded.has_value();
  }

  Status read_up(const StoreRange& entries) {
    TRY(txn_.scan(entries.begin, entries.end, {}, [&](Bytes key, Bytes value) {
      IndexEntryView entry;
      if (!decode(key, value, entry)) return false;
      if (!held_.empty() && !is_same_group(entry) && !release()) return false;
      if (scan_.is_equality) return entry.key != range_->low || emit(entry);
      if (!is_in_range(entry)) return true;
      return entry.is_cut ? hold(entry) : emit(entry);
    }));
    CHECK(failed_);
    if (!held_.empty() && !is_stopped_) release();
    return {};
  }

  Status read_down(StoreRange entries) {
    for (bool is_done = false; !is_done;) {
      is_done = true;
      ByteString large;  // a key with very many entries
      TRY(txn_.scan(entries.begin, entries.end, {.reverse = true}, [&](Bytes key, Bytes value) {
        IndexEntryView entry;
        if (!decode(key, value, entry)) return false;
        if (!held_.empty() && !is_same_group(entry) && !release()) return false;
        if (!is_in_range(entry)) return true;
        if (!entry.is_cut && held_bytes_ > kGroupBytesMax) {
          large = ByteString(entry.key);
          return false;
        }
        return hold(entry);
      }));
      CHECK(failed_);
      if (is_stopped_) return {};
      if (large.empty()) {
        if (!held_.empty()) release();
        continue;
      }
      held_.clear();
      held_bytes_ = 0;
      entries.end = entry_prefix(index_, large);
      CHECK(read_up_equal(entries.end));
      is_done = is_stopped_;
    }
    return {};
  }

  Status read_up_equal(const ByteString& prefix) {
    TRY(txn_.scan(prefix, after_prefix(prefix), {}, [&](Bytes key, Bytes value) {
      IndexEntryView entry;
      return decode(key, value, entry) && emit(entry);
    }));
    return failed_;
  }

  const kv::StoreReader& txn_;
  const Index& index_;
  const IndexScan& scan_;
  std::uint64_t& examined_;
  IndexVisitor visit_;
  const KeyRange* range_ = nullptr;
  std::vector<Held> held_;
  std::size_t held_bytes_ = 0;
  bool is_stopped_ = false;
  Status failed_;
};

}  // namespace

Status scan_index(const kv::StoreReader& txn, const Index& index, const IndexScan& scan, std::uint64_t& examined,
                  IndexVisitor visit) {
  return Scanner(txn, index, scan, examined, visit).run();
}

Result<std::uint64_t> count_entries(const kv::StoreReader& txn, const Index& index, const KeyRanges& ranges,
                                    bool is_equality, std::uint64_t limit) {
  std::uint64_t count = 0;
  for (const KeyRange& range : ranges) {
    if (count >= limit) break;
    const StoreRange entries = store_range(index, range, is_equality);
    count += TRY(txn.scan(entries.begin, entries.end, {.limit = limit - count}, [](Bytes, Bytes) { return true; }));
  }
  return count;
}

}  // namespace vitrine::doc
