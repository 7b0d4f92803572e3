// SPDX-License-Identifier: MIT OR Apache-2.0
// The seam over a map in memory: deliberately plain, so that it can be believed at a glance. It keeps the seam honest
// (nothing above may need what only the engine has) and is an oracle in tests. Optimistic: writers run side by side.
//
// A state is an immutable map; every writer copies it, and every commit. The ranges that each commit wrote are
// kept for ever, to find conflicts: this store is for tests, not for days of work.
#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <string>

#include "kv/store.hpp"

namespace vitrine::kv {

class MemoryStore final : public Store {
 public:
  using Map = std::map<ByteString, ByteString, std::less<>>;
  // [begin, end). One key is [key, key + "\0").
  struct Range {
    ByteString begin, end;
  };

  Result<std::unique_ptr<StoreReader>> begin_read() override;
  Result<std::unique_ptr<StoreWriter>> begin_write() override;

  // Time stands still at the latest that was set; without any it is the machine's.
  void set_clock_ms(std::uint64_t now) {
    std::lock_guard lock(mutex_);
    clock_ms_ = std::max(clock_ms_, now);
  }

 private:
  friend class MemoryReader;
  friend class MemoryWriter;

  mutable std::mutex mutex_;  // guards the members below
  std::shared_ptr<Map> state_ = std::make_shared<Map>();
  std::uint64_t clock_ms() const;

  std::uint64_t clock_ms_ = 0;
  Memo memo_;
  std::vector<std::vector<Range>> commits_;  // what each wrote; the version of a state is how many there are
};

}  // namespace vitrine::kv
