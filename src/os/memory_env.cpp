// SPDX-License-Identifier: MIT OR Apache-2.0
// The directory of files in RAM. Thread safety: one mutex guards the names; contents guard themselves.
#include "os/memory_env.hpp"

#include <atomic>
#include <map>
#include <mutex>

#include "base/try.hpp"
#include "os/file_error.hpp"
#include "os/memory_file.hpp"

namespace vitrine::os {
namespace {

// Two environments must not hand out equal identities, or two databases would be taken for one.
std::uint64_t next_device() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

class MemoryEnv final : public Env {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    if (path.empty()) return file_error(ErrorCode::ArgumentInvalid, "open", path, "a path is not empty");
    const std::lock_guard lock(mutex_);
    const auto found = names_.find(path);
    if (mode == OpenMode::CreateNew) {
      if (found != names_.end()) return file_error(ErrorCode::FileExists, "open", path);
      return make_handle(names_[path] = make_content(), path, true);
    }
    if (found == names_.end()) return file_error(ErrorCode::FileNotFound, "open", path);
    return make_handle(found->second, path, mode == OpenMode::ReadWrite);
  }

  Result<std::unique_ptr<File>> open_temporary(const std::string& near_path) override {
    const std::lock_guard lock(mutex_);
    return make_handle(make_content(), std::string(directory_of(near_path)) + "/(temporary)", true);
  }

  Result<bool> exists(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    return names_.count(path) != 0;
  }

  Status remove(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    if (names_.erase(path) == 1) return {};
    return file_error(ErrorCode::FileNotFound, "remove", path);
  }

  Status rename(const std::string& from, const std::string& to) override {
    const std::lock_guard lock(mutex_);
    return move_name(from, to);
  }

  Status rename_new(const std::string& from, const std::string& to) override {
    const std::lock_guard lock(mutex_);
    if (names_.count(from) != 0 && names_.count(to) != 0) return file_error(ErrorCode::FileExists, "rename", to);
    return move_name(from, to);
  }

  Status sync_directory_of(const std::string&) override { return {}; }
  Result<FilesystemInfo> filesystem_of(const std::string&) override { return FilesystemInfo{"memory", false}; }

  std::uint64_t wall_ms() override { return system_env().wall_ms(); }
  std::uint64_t monotonic_ns() override { return system_env().monotonic_ns(); }
  Status random_bytes(std::span<std::byte> to) override { return system_env().random_bytes(to); }
  std::uint64_t process_id() override { return system_env().process_id(); }
  void sleep_ms(std::uint64_t duration) override { system_env().sleep_ms(duration); }
  bool has_background_threads() override { return true; }

 private:
  std::shared_ptr<MemoryContent> make_content() { return std::make_shared<MemoryContent>(++last_inode_); }

  std::unique_ptr<File> make_handle(std::shared_ptr<MemoryContent> content, std::string path, bool is_writable) {
    return std::make_unique<MemoryFile>(std::move(content), std::move(path), device_, is_writable);
  }

  Status move_name(const std::string& from, const std::string& to) {
    const auto found = names_.find(from);
    if (found == names_.end()) return file_error(ErrorCode::FileNotFound, "rename", from);
    if (from == to) return {};
    names_[to] = found->second;
    names_.erase(found);
    return {};
  }

  const std::uint64_t device_ = next_device();
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<MemoryContent>> names_;
  std::uint64_t last_inode_ = 0;
};

}  // namespace

std::unique_ptr<Env> make_memory_env() { return std::make_unique<MemoryEnv>(); }

}  // namespace vitrine::os
