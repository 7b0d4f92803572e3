// SPDX-License-Identifier: MIT OR Apache-2.0
// What the tests of the pool and of the layers above it share. Not part of the library.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string_view>

#include "os/env.hpp"
#include "os/memory_env.hpp"
#include "pool/page_store.hpp"

namespace vitrine::pool::testing {

// How much a randomized test does. VITRINE_TEST_SCALE: tiny (sanitizers; as small where it is not given), small,
// normal, large.
inline std::uint64_t scaled(std::uint64_t small, std::uint64_t normal, std::uint64_t large,
                            std::optional<std::uint64_t> tiny = std::nullopt) {
  const char* chosen = std::getenv("VITRINE_TEST_SCALE");
  const std::string_view scale = chosen == nullptr ? "normal" : chosen;
  if (scale == "tiny") return tiny.value_or(small);
  return scale == "small" ? small : scale == "large" ? large : normal;
}

// A file in memory that a test can slow down or break. Any thread may use it.
class TestFile final : public os::File {
 public:
  TestFile() : env_(os::make_memory_env()), file_(env_->open("pages", os::OpenMode::CreateNew).value()) {}

  // Reads, or writes, wait while their gate is closed.
  void close_gate(bool of_writes) { set_gate(of_writes, true); }
  void open_gate(bool of_writes) { set_gate(of_writes, false); }
  // Until so many calls stand before the closed gate.
  void await_waiting(unsigned calls) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ >= calls; });
  }

  // From so many successful calls on, all fail.
  void fail_writes_after(std::uint64_t calls) { last_write_ = writes_ + calls; }
  void fail_reads_after(std::uint64_t calls) { last_read_ = reads_ + calls; }
  void heal() { last_write_ = last_read_ = ~std::uint64_t{0}; }
  // Writes throw std::bad_alloc, as a file may that puts together an error without memory.
  void throw_on_write(bool chosen) { writes_throw_ = chosen; }
  void fail_syncs(bool fail) { syncs_fail_ = fail; }
  std::uint64_t reads() const { return reads_; }
  std::uint64_t writes() const { return writes_; }

  Result<std::size_t> read_at(std::uint64_t offset, void* to, std::size_t size) override {
    const bool fails = ++reads_ > last_read_;
    pass(reads_closed_);
    if (fails) return Status::error(ErrorCode::ReadFailed);
    return file_->read_at(offset, to, size);
  }
  Status write_at(std::uint64_t offset, std::span<const os::IoSlice> slices) override {
    const bool fails = ++writes_ > last_write_;
    if (writes_throw_) throw std::bad_alloc();
    pass(writes_closed_);
    if (fails) return Status::error(ErrorCode::WriteFailed);
    return file_->write_at(offset, slices);
  }
  Status sync() override { return syncs_fail_ ? Status::error(ErrorCode::SyncFailed) : file_->sync(); }
  Result<std::uint64_t> size() override { return file_->size(); }
  Status resize(std::uint64_t size) override { return file_->resize(size); }
  Status reserve(std::uint64_t offset, std::uint64_t size) override { return file_->reserve(offset, size); }
  Result<bool> try_lock(std::uint64_t offset, std::uint64_t size, os::LockMode mode) override {
    return file_->try_lock(offset, size, mode);
  }
  Status unlock(std::uint64_t offset, std::uint64_t size) override { return file_->unlock(offset, size); }
  Result<bool> locked_by_other(std::uint64_t offset, std::uint64_t size) override {
    return file_->locked_by_other(offset, size);
  }
  Result<os::FileIdentity> identity() override { return file_->identity(); }

 private:
  void set_gate(bool of_writes, bool closed) {
    std::lock_guard lock(mutex_);
    (of_writes ? writes_closed_ : reads_closed_) = closed;
    changed_.notify_all();
  }
  void pass(const bool& closed) {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !closed; });
    --waiting_;
  }

  std::unique_ptr<os::Env> env_;
  std::unique_ptr<os::File> file_;
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned waiting_ = 0;
  bool reads_closed_ = false;
  bool writes_closed_ = false;
  std::atomic<bool> syncs_fail_ = false;
  std::atomic<bool> writes_throw_ = false;
  std::atomic<std::uint64_t> last_write_ = ~std::uint64_t{0};
  std::atomic<std::uint64_t> last_read_ = ~std::uint64_t{0};
  std::atomic<std::uint64_t> reads_ = 0;
  std::atomic<std::uint64_t> writes_ = 0;
};

}  // namespace vitrine::pool::testing
