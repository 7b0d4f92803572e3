// SPDX-License-Identifier: MIT OR Apache-2.0
// Small helpers shared by tests of this folder and of those above it. Not part of the library.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "os/env.hpp"

namespace vitrine::os::testing {

// A directory that is removed with everything in it.
class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
    std::string name = (parent / "vitrine-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string path(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// Where a sync costs nothing, for tests that are not about the disk: in memory if there is enough of it.
inline std::filesystem::path memory_directory() {
  constexpr std::uintmax_t kEnough = 256u << 20;
  std::error_code failed;
  const std::filesystem::space_info space = std::filesystem::space("/dev/shm", failed);
  return !failed && space.available >= kEnough ? "/dev/shm" : std::filesystem::temp_directory_path();
}

// VITRINE_SEED replays a run; otherwise every run differs. Print it when a test fails.
inline std::uint64_t seed() {
  if (const char* chosen = std::getenv("VITRINE_SEED")) return std::strtoull(chosen, nullptr, 0);
  return static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
}

inline Status write_text(File& file, std::uint64_t offset, std::string_view text) {
  const IoSlice slice{text.data(), text.size()};
  return file.write_at(offset, {&slice, 1});
}

// Throws vitrine::Error when the read fails.
inline std::string read_text(File& file, std::uint64_t offset, std::size_t size) {
  std::string text(size, '?');
  text.resize(file.read_at(offset, text.data(), size).value());
  return text;
}

// The lines of /proc/self/smaps about the mapping that holds `address`.
inline std::string mapping_of(const void* address) {
  std::ifstream smaps("/proc/self/smaps");
  std::string line;
  std::string found;
  bool inside = false;
  while (std::getline(smaps, line)) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char dash = 0;
    std::istringstream head(line);
    if (head >> std::hex >> begin >> dash >> end && dash == '-') {
      const auto at = reinterpret_cast<std::uintptr_t>(address);
      inside = begin <= at && at < end;
    }
    if (inside) found += line + "\n";
  }
  return found;
}

// How many bytes of the mapping that holds `address` are in memory. Throws where the system does not tell.
inline std::size_t resident_size(const void* address) {
  const std::string mapping = mapping_of(address);
  const std::size_t at = mapping.find("Rss:");
  if (at == std::string::npos) throw std::runtime_error("no /proc/self/smaps");
  return std::stoul(mapping.substr(at + 4)) * 1024;
}

}  // namespace vitrine::os::testing
