// SPDX-License-Identifier: MIT OR Apache-2.0
// The machine beyond the common contract: things that are no regular files, modes, locks across processes, full disks.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "os/file_error.hpp"
#include "os/filesystem_type.hpp"
#include "os/posix_file.hpp"
#include "os/testing.hpp"

namespace vitrine::os {
namespace {

using testing::read_text;
using testing::write_text;

constexpr OpenMode kEveryMode[] = {OpenMode::ReadOnly, OpenMode::ReadWrite};

class PosixEnvTest : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return directory_.path(name); }
  std::unique_ptr<File> create(const std::string& name) { return env_.open(path(name), OpenMode::CreateNew).value(); }
  ErrorCode open_error(const std::string& where, OpenMode mode) { return env_.open(where, mode).status().code(); }

  Env& env_ = system_env();
  testing::TemporaryDirectory directory_;
};

mode_t mode_of(const std::string& path) {
  struct stat about {};
  EXPECT_EQ(::stat(path.c_str(), &about), 0);
  return about.st_mode & 07777;
}

// Runs `body` in a child process; true when it returned true there.
bool in_child(const std::function<bool()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body() ? 0 : 1);
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST_F(PosixEnvTest, a_symbolic_link_is_not_followed) {
  create("target");
  ASSERT_EQ(::symlink(path("target").c_str(), path("link").c_str()), 0);
  ASSERT_EQ(::symlink(path("nowhere").c_str(), path("dangling").c_str()), 0);
  for (const char* name : {"link", "dangling"}) {
    for (const OpenMode mode : kEveryMode) EXPECT_EQ(open_error(path(name), mode), ErrorCode::FileNotRegular) << name;
    EXPECT_EQ(open_error(path(name), OpenMode::CreateNew), ErrorCode::FileExists) << name;
    EXPECT_TRUE(env_.exists(path(name)).value()) << name;
  }
  EXPECT_FALSE(std::filesystem::exists(path("nowhere"))) << "nothing was created through the link";
}

TEST_F(PosixEnvTest, a_link_in_a_directory_part_is_followed) {
  std::filesystem::create_directory(path("real"));
  std::filesystem::create_directory_symlink(path("real"), path("alias"));
  create("real/a");
  EXPECT_TRUE(env_.open(path("alias/a"), OpenMode::ReadWrite).has_value());
}

TEST_F(PosixEnvTest, pipes_sockets_directories_and_devices_are_refused_without_waiting) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  std::filesystem::create_directory(path("directory"));
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  struct sockaddr_un address {};
  address.sun_family = AF_UNIX;
  ASSERT_LT(path("socket").size(), sizeof address.sun_path);
  path("socket").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  for (const std::string& where :
       {path("pipe"), path("directory"), path("socket"), std::string("/dev/null"), std::string("/dev/zero")}) {
    for (const OpenMode mode : kEveryMode) EXPECT_EQ(open_error(where, mode), ErrorCode::FileNotRegular) << where;
    EXPECT_EQ(open_error(where, OpenMode::CreateNew), ErrorCode::FileExists) << where;
  }
  ::close(socket);
}

TEST_F(PosixEnvTest, a_file_as_directory_part_counts_as_not_found) {
  create("a");
  EXPECT_EQ(open_error(path("a/b"), OpenMode::ReadOnly), ErrorCode::FileNotFound);
  EXPECT_FALSE(env_.exists(path("a/b")).value());
  EXPECT_EQ(open_error(path("no/b"), OpenMode::CreateNew), ErrorCode::FileNotFound);
}

TEST_F(PosixEnvTest, a_path_with_a_zero_byte_is_refused) {
  create("a");
  std::string split = path("a");
  split += std::string("\0b", 2);
  EXPECT_EQ(open_error(split, OpenMode::ReadOnly), ErrorCode::ArgumentInvalid);
  EXPECT_EQ(env_.remove(split).code(), ErrorCode::ArgumentInvalid);
  EXPECT_TRUE(env_.exists(path("a")).value());
}

TEST_F(PosixEnvTest, new_files_belong_to_their_owner_alone_whatever_the_umask) {
  for (const mode_t mask : {mode_t{0}, mode_t{022}, mode_t{0777}}) {
    const mode_t before = ::umask(mask);
    const std::string name = "mask" + std::to_string(mask);
    auto file = create(name);
    ::umask(before);
    EXPECT_EQ(mode_of(path(name)), mode_t{0600}) << mask;
  }
}

TEST_F(PosixEnvTest, descriptors_are_closed_on_exec_and_block) {
  const auto descriptors = [] {
    std::vector<int> open;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      open.push_back(std::stoi(entry.path().filename()));
    }
    return open;
  };
  auto file = create("a");
  int found = -1;
  for (const int number : descriptors()) {
    std::error_code gone;
    const auto target = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(number), gone);
    if (!gone && target == path("a")) found = number;
  }
  ASSERT_GE(found, 0);
  EXPECT_NE(::fcntl(found, F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_EQ(::fcntl(found, F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(PosixEnvTest, locks_hold_against_another_process_and_end_with_it) {
  auto file = create("a");
  ASSERT_TRUE(file->try_lock(10, 5, LockMode::Exclusive).value());
  const std::string where = path("a");
  EXPECT_TRUE(in_child([&] {
    auto other = env_.open(where, OpenMode::ReadWrite).value();
    return !other->try_lock(12, 1, LockMode::Shared).value() && other->locked_by_other(0, 100).value() &&
           other->try_lock(0, 10, LockMode::Exclusive).value() && !file->locked_by_other(10, 5).value();
  }));
  EXPECT_FALSE(file->locked_by_other(0, 100).value()) << "the child's lock ended with it";
}

TEST_F(PosixEnvTest, a_temporary_file_has_no_name_and_mode_0600) {
  const mode_t before = ::umask(0);
  auto file = env_.open_temporary(path("near")).value();
  ::umask(before);
  EXPECT_TRUE(std::filesystem::is_empty(path("")));
  ASSERT_TRUE(write_text(*file, 0, "text").is_ok());
  struct stat about {};
  ASSERT_EQ(::stat(path("").c_str(), &about), 0);
  EXPECT_EQ(file->identity().value().device, static_cast<std::uint64_t>(about.st_dev)) << "it lies near";
  EXPECT_EQ(env_.open_temporary(path("no/near")).status().code(), ErrorCode::FileNotFound);
}

TEST_F(PosixEnvTest, a_temporary_file_goes_elsewhere_when_its_directory_is_closed_to_us) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  std::filesystem::create_directory(path("closed"));
  ASSERT_EQ(::chmod(path("").c_str(), 0755), 0);
  ASSERT_EQ(::chmod(path("closed").c_str(), 0555), 0);
  EXPECT_TRUE(in_child([&] {
    if (::seteuid(65534) != 0) return false;
    return env_.open_temporary(path("closed/a")).has_value() &&
           open_error(path("closed/a"), OpenMode::CreateNew) == ErrorCode::FilePermission;
  }));
}

TEST_F(PosixEnvTest, no_free_descriptor_is_a_file_limit) {
  create("a");
  EXPECT_TRUE(in_child([&] {
    const struct rlimit none { 3, 3 };
    return ::setrlimit(RLIMIT_NOFILE, &none) == 0 && open_error(path("a"), OpenMode::ReadOnly) == ErrorCode::FileLimit;
  }));
}

TEST_F(PosixEnvTest, reserving_by_writing_fills_holes_and_keeps_bytes) {
  Descriptor descriptor(::open(path("a").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  PosixFile file(std::move(descriptor), path("a"), Access::ReadWrite);
  ASSERT_TRUE(write_text(file, 300'000, "kept").is_ok());
  ASSERT_TRUE(file.resize(700'000).is_ok());
  struct stat about {};
  ASSERT_EQ(::stat(path("a").c_str(), &about), 0);
  const auto blocks_before = about.st_blocks;
  ASSERT_TRUE(file.reserve_by_writing(0, 1'000'000).is_ok());
  EXPECT_EQ(file.size().value(), 1'000'000u);
  std::string expected(1'000'000, '\0');
  expected.replace(300'000, 4, "kept");
  EXPECT_EQ(read_text(file, 0, 1'000'001), expected);
  ASSERT_TRUE(file.sync().is_ok());
  ASSERT_EQ(::stat(path("a").c_str(), &about), 0);
  EXPECT_GT(about.st_blocks, blocks_before);
  EXPECT_GE(about.st_blocks * 512, 1'000'000) << "no hole is left";
}

TEST_F(PosixEnvTest, a_full_disk_is_reported_and_reserved_space_is_not_affected) {
  std::filesystem::create_directory(path("small"));
  if (::mount("none", path("small").c_str(), "tmpfs", 0, "size=256k") != 0) GTEST_SKIP() << "needs to mount";
  struct Unmount {
    std::string where;
    ~Unmount() { ::umount2(where.c_str(), MNT_DETACH); }
  } unmount{path("small")};
  EXPECT_EQ(env_.filesystem_of(path("small/a")).value().type, "tmpfs");
  auto file = create("small/a");
  ASSERT_TRUE(file->reserve(0, 64 * 1024).is_ok());
  auto filler = create("small/filler");
  const Status full = write_text(*filler, 0, std::string(300 * 1024, 'x'));
  EXPECT_EQ(full.code(), ErrorCode::DiskFull);
  EXPECT_EQ(full.detail("errno"), std::to_string(ENOSPC));
  EXPECT_EQ(full.detail("path"), path("small/filler"));
  EXPECT_FALSE(full.detail("offset").empty());
  EXPECT_TRUE(write_text(*file, 0, std::string(64 * 1024, 'y')).is_ok());
  EXPECT_EQ(file->reserve(64 * 1024, 64 * 1024).code(), ErrorCode::DiskFull);
  ASSERT_TRUE(env_.remove(path("small/filler")).is_ok());
  filler.reset();
  EXPECT_TRUE(file->reserve(64 * 1024, 64 * 1024).is_ok());
  file.reset();
  ASSERT_EQ(::mount("none", path("small").c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr), 0);
  EXPECT_EQ(open_error(path("small/a"), OpenMode::ReadWrite), ErrorCode::FileReadOnly);
  EXPECT_TRUE(env_.open(path("small/a"), OpenMode::ReadOnly).has_value());
  EXPECT_TRUE(env_.open_temporary(path("small/a")).has_value()) << "elsewhere";
}

TEST_F(PosixEnvTest, errno_decides_the_code) {
  const auto code = [](int error) { return system_error(error, ErrorCode::SyncFailed, "op", "p").code(); };
  EXPECT_EQ(code(EIO), ErrorCode::SyncFailed) << "no code of its own";
  EXPECT_EQ(code(ENOSPC), ErrorCode::DiskFull);
  EXPECT_EQ(code(EDQUOT), ErrorCode::DiskFull);
  EXPECT_EQ(code(EFBIG), ErrorCode::DiskFull);
  EXPECT_EQ(code(EMFILE), ErrorCode::FileLimit);
  EXPECT_EQ(code(ENFILE), ErrorCode::FileLimit);
  EXPECT_EQ(code(EACCES), ErrorCode::FilePermission);
  EXPECT_EQ(code(EPERM), ErrorCode::FilePermission);
  EXPECT_EQ(code(EROFS), ErrorCode::FileReadOnly);
  EXPECT_EQ(code(ELOOP), ErrorCode::FileNotRegular);
  EXPECT_EQ(code(EISDIR), ErrorCode::FileNotRegular);
  EXPECT_EQ(code(ENXIO), ErrorCode::FileNotRegular);
  EXPECT_EQ(code(ENOENT), ErrorCode::FileNotFound);
  EXPECT_EQ(code(EEXIST), ErrorCode::FileExists);
  EXPECT_EQ(code(ENOMEM), ErrorCode::OutOfMemory);
}

TEST_F(PosixEnvTest, the_directory_of_a_path_is_everything_before_its_last_name) {
  EXPECT_EQ(directory_of("a"), ".");
  EXPECT_EQ(directory_of("/a"), "/");
  EXPECT_EQ(directory_of("/a/b"), "/a");
  EXPECT_EQ(directory_of("a/b"), "a");
}

TEST_F(PosixEnvTest, network_file_systems_are_known) {
  EXPECT_EQ(filesystem_from_magic(0x6969).type, "nfs");
  for (const std::uint32_t magic : {0x6969u, 0xff534d42u, 0xfe534d42u, 0x01021997u, 0x00c36400u, 0x0bd00bd0u}) {
    EXPECT_TRUE(filesystem_from_magic(magic).is_network) << magic;
  }
  EXPECT_FALSE(filesystem_from_magic(0xef53).is_network);
  EXPECT_EQ(filesystem_from_magic(0x65735546).type, "fuse");
  EXPECT_EQ(filesystem_from_magic(0x12345678).type, "unknown 0x12345678");
  EXPECT_FALSE(filesystem_from_magic(0x12345678).is_network);
}

}  // namespace
}  // namespace vitrine::os
