// SPDX-License-Identifier: MIT OR Apache-2.0
// Replaces operator new of a test program, so that the n-th allocation of what is under test fails, once or with all
// that follow. To be included by exactly one file of the program. Allocations of arrays follow where the standard
// library passes them on.
//
// Only what runs inside `armed()` can fail, and there not what an Env does (CalmEnv): the simulated disk is not under
// test, and the real one allocates nothing but error messages.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "base/try.hpp"
#include "os/env.hpp"

namespace vitrine::testing::memory {

enum class Refuse : std::uint8_t { Never, Once, ForEver };

struct State {
  bool is_armed = false;
  Refuse mode = Refuse::Never;
  std::uint64_t first_refused = 0;  // counted from 1
  std::uint64_t count = 0;          // of allocations while armed
  std::uint64_t refused = 0;
  std::int64_t living = 0;  // allocations not yet freed, armed or not
};
inline State state;

inline void plan(Refuse mode, std::uint64_t first_refused) {
  const std::int64_t living = state.living;
  state = {.mode = mode, .first_refused = first_refused, .living = living};
}

inline void* allocate(std::size_t size) noexcept {
  if (state.is_armed) {
    ++state.count;
    const bool is_refused = state.mode == Refuse::Once
                                ? state.count == state.first_refused
                                : state.mode == Refuse::ForEver && state.count >= state.first_refused;
    if (is_refused) {
      ++state.refused;
      return nullptr;
    }
  }
  void* memory = std::malloc(size == 0 ? 1 : size);
  state.living += memory != nullptr;
  return memory;
}

inline void release(void* memory) noexcept {
  state.living -= memory != nullptr;
  std::free(memory);
}

class Arming {
 public:
  explicit Arming(bool is_armed) noexcept : before_(std::exchange(state.is_armed, is_armed)) {}
  ~Arming() { state.is_armed = before_; }
  Arming(const Arming&) = delete;
  Arming& operator=(const Arming&) = delete;

 private:
  const bool before_;
};

template <typename Body>
auto armed(Body&& body) {
  const Arming on(true);
  return body();
}

template <typename Body>
auto calm(Body&& body) {
  const Arming off(false);
  return body();
}

// --- An environment whose own allocations succeed --------------------------------------------------------------------

class CalmFile final : public os::File {
 public:
  explicit CalmFile(std::unique_ptr<os::File> file) : file_(std::move(file)) {}
  ~CalmFile() override {
    const Arming off(false);
    file_.reset();
  }
  Result<std::size_t> read_at(std::uint64_t offset, void* to, std::size_t size) override {
    return calm([&] { return file_->read_at(offset, to, size); });
  }
  Status write_at(std::uint64_t offset, std::span<const os::IoSlice> slices) override {
    return calm([&] { return file_->write_at(offset, slices); });
  }
  Status sync() override {
    return calm([&] { return file_->sync(); });
  }
  Result<std::uint64_t> size() override {
    return calm([&] { return file_->size(); });
  }
  Status resize(std::uint64_t size) override {
    return calm([&] { return file_->resize(size); });
  }
  Status reserve(std::uint64_t offset, std::uint64_t size) override {
    return calm([&] { return file_->reserve(offset, size); });
  }
  Result<bool> try_lock(std::uint64_t offset, std::uint64_t size, os::LockMode mode) override {
    return calm([&] { return file_->try_lock(offset, size, mode); });
  }
  Status unlock(std::uint64_t offset, std::uint64_t size) override {
    return calm([&] { return file_->unlock(offset, size); });
  }
  Result<bool> locked_by_other(std::uint64_t offset, std::uint64_t size) override {
    return calm([&] { return file_->locked_by_other(offset, size); });
  }
  Result<os::FileIdentity> identity() override {
    return calm([&] { return file_->identity(); });
  }

 private:
  std::unique_ptr<os::File> file_;
};

class CalmEnv final : public os::Env {
 public:
  explicit CalmEnv(os::Env& env) : env_(env) {}

  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    return wrapped([&] { return env_.open(path, mode); });
  }
  Result<std::unique_ptr<os::File>> open_temporary(const std::string& near_path) override {
    return wrapped([&] { return env_.open_temporary(near_path); });
  }
  Result<bool> exists(const std::string& path) override {
    return calm([&] { return env_.exists(path); });
  }
  Status remove(const std::string& path) override {
    return calm([&] { return env_.remove(path); });
  }
  Status rename(const std::string& from, const std::string& to) override {
    return calm([&] { return env_.rename(from, to); });
  }
  Status rename_new(const std::string& from, const std::string& to) override {
    return calm([&] { return env_.rename_new(from, to); });
  }
  Status sync_directory_of(const std::string& path) override {
    return calm([&] { return env_.sync_directory_of(path); });
  }
  Result<os::FilesystemInfo> filesystem_of(const std::string& path) override {
    return calm([&] { return env_.filesystem_of(path); });
  }
  std::uint64_t wall_ms() override { return env_.wall_ms(); }
  std::uint64_t monotonic_ns() override { return env_.monotonic_ns(); }
  Status random_bytes(std::span<std::byte> to) override {
    return calm([&] { return env_.random_bytes(to); });
  }
  std::uint64_t process_id() override { return env_.process_id(); }
  void sleep_ms(std::uint64_t duration) override { env_.sleep_ms(duration); }
  bool has_background_threads() override { return false; }

 private:
  template <typename Open>
  static Result<std::unique_ptr<os::File>> wrapped(Open&& open) {
    return calm([&]() -> Result<std::unique_ptr<os::File>> {
      return std::unique_ptr<os::File>(std::make_unique<CalmFile>(TRY(open())));
    });
  }

  os::Env& env_;
};

}  // namespace vitrine::testing::memory

// Not inlined: the compiler would otherwise see memory of malloc go to delete, and warn.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (void* memory = vitrine::testing::memory::allocate(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return vitrine::testing::memory::allocate(size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { vitrine::testing::memory::release(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  vitrine::testing::memory::release(memory);
}
[[gnu::noinline]] void operator delete(void* memory, const std::nothrow_t&) noexcept {
  vitrine::testing::memory::release(memory);
}
