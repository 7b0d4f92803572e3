// SPDX-License-Identifier: MIT OR Apache-2.0
// The machine: opens, names and removes files by system calls, and asks the kernel for time and randomness.
//
// Opening never follows a symbolic link in the last component, never waits for the other end of a pipe and never keeps
// anything but a regular file. New files are readable by their owner only, whatever the umask says.
// Thread safety: the object has no state.
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "base/try.hpp"
#include "os/file_error.hpp"
#include "os/filesystem_type.hpp"
#include "os/posix_file.hpp"

namespace vitrine::os {
namespace {

constexpr mode_t kOwnerOnly = 0600;

// A name with a NUL inside would silently address another file.
Status check_path(std::string_view path, std::string_view operation) {
  if (!path.empty() && path.find('\0') == std::string_view::npos) return {};
  return file_error(ErrorCode::ArgumentInvalid, operation, {}, "a path is not empty and holds no zero byte");
}

int open_flags(OpenMode mode) {
  // O_NONBLOCK: opening a pipe must not wait for its other end. It is cleared again once the file is known as regular.
  const int always = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  switch (mode) {
    case OpenMode::ReadOnly:
      return always | O_RDONLY;
    case OpenMode::ReadWrite:
      return always | O_RDWR;
    case OpenMode::CreateNew:
      break;
  }
  return always | O_RDWR | O_CREAT | O_EXCL;
}

int open_retrying(const char* path, int flags) {
  int number = ::open(path, flags, kOwnerOnly);
  while (number < 0 && errno == EINTR) number = ::open(path, flags, kOwnerOnly);
  return number;
}

// Opening some devices has effects (a watchdog starts, a tape rewinds), so look before. The check after the open, on
// the descriptor, is the one that counts.
Status refuse_special_file(const std::string& path) {
  struct stat about {};
  if (::lstat(path.c_str(), &about) != 0 || S_ISREG(about.st_mode)) return {};  // open() reports what is wrong
  return file_error(ErrorCode::FileNotRegular, "open", path);
}

Status require_regular(const Descriptor& descriptor, const std::string& path) {
  struct stat about {};
  if (::fstat(descriptor.number(), &about) != 0) return system_error(errno, ErrorCode::SystemFailed, "open", path);
  if (!S_ISREG(about.st_mode)) return file_error(ErrorCode::FileNotRegular, "open", path);
  const int flags = ::fcntl(descriptor.number(), F_GETFL);
  if (flags < 0 || ::fcntl(descriptor.number(), F_SETFL, flags & ~O_NONBLOCK) != 0) {
    return system_error(errno, ErrorCode::SystemFailed, "open", path);
  }
  return {};
}

// The umask may have taken permissions away that the owner needs.
Status restrict_to_owner(const Descriptor& descriptor, const std::string& path) {
  struct stat about {};
  if (::fstat(descriptor.number(), &about) != 0) return system_error(errno, ErrorCode::SystemFailed, "create", path);
  if ((about.st_mode & 07777) == kOwnerOnly || ::fchmod(descriptor.number(), kOwnerOnly) == 0) return {};
  // File systems without permissions (vfat) refuse; there the mount options decide who reads what.
  if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS) return {};
  return system_error(errno, ErrorCode::SystemFailed, "create", path);
}

std::unique_ptr<File> make_file(Descriptor descriptor, const std::string& path, Access access) {
  return std::make_unique<PosixFile>(std::move(descriptor), path, access);
}

// A nameless file in `directory`, or errno in `error`.
Descriptor open_nameless(const std::string& directory, int& error) {
  Descriptor nameless(open_retrying(directory.c_str(), O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC));
  error = nameless.is_open() ? 0 : errno;
  // EISDIR is how kernels without O_TMPFILE refuse it, EOPNOTSUPP how file systems do.
  if (error != EOPNOTSUPP && error != EISDIR && error != EINVAL) return nameless;
  std::string name = directory + "/.vitrine-XXXXXX";
  Descriptor named(::mkostemp(name.data(), O_CLOEXEC));
  error = named.is_open() ? 0 : errno;
  if (named.is_open()) ::unlink(name.c_str());
  return named;
}

std::string temporary_directory() {
  const char* chosen = ::secure_getenv("TMPDIR");
  return chosen != nullptr && chosen[0] == '/' ? chosen : "/tmp";
}

// rename without replacing, for file systems whose rename has no such flag. Both names exist for a moment.
Status rename_new_by_link(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) != 0) return system_error(errno, ErrorCode::SystemFailed, "rename", to);
  if (::unlink(from.c_str()) == 0) return {};
  const int error = errno;
  ::unlink(to.c_str());
  return system_error(error, ErrorCode::SystemFailed, "rename", from);
}

class PosixEnv final : public Env {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    CHECK(check_path(path, "open"));
    if (mode != OpenMode::CreateNew) CHECK(refuse_special_file(path));
    Descriptor descriptor(open_retrying(path.c_str(), open_flags(mode)));
    if (!descriptor.is_open()) return system_error(errno, ErrorCode::SystemFailed, "open", path);
    CHECK(require_regular(descriptor, path));
    if (mode == OpenMode::CreateNew) CHECK(restrict_to_owner(descriptor, path));
    return make_file(std::move(descriptor), path, mode == OpenMode::ReadOnly ? Access::ReadOnly : Access::ReadWrite);
  }

  Result<std::unique_ptr<File>> open_temporary(const std::string& near_path) override {
    CHECK(check_path(near_path, "open temporary"));
    std::string directory(directory_of(near_path));
    int error = 0;
    Descriptor near = open_nameless(directory, error);
    if (near.is_open()) return finish_temporary(std::move(near), directory);
    const bool is_read_only = error == EROFS || error == EACCES || error == EPERM;
    if (!is_read_only) return system_error(error, ErrorCode::SystemFailed, "open temporary", directory);
    directory = temporary_directory();
    Descriptor elsewhere = open_nameless(directory, error);
    if (elsewhere.is_open()) return finish_temporary(std::move(elsewhere), directory);
    return system_error(error, ErrorCode::SystemFailed, "open temporary", directory);
  }

  Result<bool> exists(const std::string& path) override {
    CHECK(check_path(path, "exists"));
    struct stat about {};
    if (::lstat(path.c_str(), &about) == 0) return true;  // a dangling link exists too: the name is taken
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return system_error(errno, ErrorCode::SystemFailed, "exists", path);
  }

  Status remove(const std::string& path) override {
    CHECK(check_path(path, "remove"));
    if (::unlink(path.c_str()) == 0) return {};
    return system_error(errno, ErrorCode::SystemFailed, "remove", path);
  }

  Status rename(const std::string& from, const std::string& to) override {
    CHECK(check_path(from, "rename"));
    CHECK(check_path(to, "rename"));
    if (::rename(from.c_str(), to.c_str()) == 0) return {};
    return system_error(errno, ErrorCode::SystemFailed, "rename", from);
  }

  Status rename_new(const std::string& from, const std::string& to) override {
    CHECK(check_path(from, "rename"));
    CHECK(check_path(to, "rename"));
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
    if (errno == EINVAL || errno == ENOSYS) return rename_new_by_link(from, to);
    return system_error(errno, ErrorCode::SystemFailed, "rename", to);
  }

  Status sync_directory_of(const std::string& path) override {
    CHECK(check_path(path, "sync directory"));
    const std::string directory(directory_of(path));
    const Descriptor descriptor(open_retrying(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!descriptor.is_open()) return system_error(errno, ErrorCode::SyncFailed, "sync directory", directory);
    if (::fsync(descriptor.number()) == 0) return {};
    // Some file systems have no such call for directories and order names themselves.
    if (errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS) return {};
    return system_error(errno, ErrorCode::SyncFailed, "sync directory", directory);
  }

  Result<FilesystemInfo> filesystem_of(const std::string& path) override {
    CHECK(check_path(path, "filesystem"));
    struct statfs about {};
    int result = ::statfs(path.c_str(), &about);
    if (result != 0 && errno == ENOENT) result = ::statfs(std::string(directory_of(path)).c_str(), &about);
    if (result != 0) return system_error(errno, ErrorCode::SystemFailed, "filesystem", path);
    return filesystem_from_magic(static_cast<std::uint32_t>(about.f_type));
  }

  std::uint64_t wall_ms() override { return nanoseconds(CLOCK_REALTIME) / 1'000'000; }
  std::uint64_t monotonic_ns() override { return nanoseconds(CLOCK_MONOTONIC); }

  Status random_bytes(std::span<std::byte> to) override {
    while (!to.empty()) {
      const ssize_t count = ::getrandom(to.data(), to.size(), 0);
      if (count < 0 && errno != EINTR) return system_error(errno, ErrorCode::SystemFailed, "random", {});
      if (count > 0) to = to.subspan(static_cast<std::size_t>(count));
    }
    return {};
  }

  std::uint64_t process_id() override { return static_cast<std::uint64_t>(::getpid()); }
  void sleep_ms(std::uint64_t duration) override { std::this_thread::sleep_for(std::chrono::milliseconds(duration)); }
  bool has_background_threads() override { return true; }

 private:
  static Result<std::unique_ptr<File>> finish_temporary(Descriptor descriptor, const std::string& directory) {
    CHECK(restrict_to_owner(descriptor, directory));
    return make_file(std::move(descriptor), directory + "/(temporary)", Access::ReadWrite);
  }

  static std::uint64_t nanoseconds(clockid_t clock) {
    struct timespec now {};
    ::clock_gettime(clock, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
  }
};

}  // namespace

Env& system_env() {
  static PosixEnv& env = *new PosixEnv;  // never destroyed: threads may still use it while the process ends
  return env;
}

}  // namespace vitrine::os
