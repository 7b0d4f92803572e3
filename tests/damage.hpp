// SPDX-License-Identifier: MIT OR Apache-2.0
// What the tests of damaged files share: files as plain strings, a small database with something of everything, and a
// look at a database that says what could be read of it and what the full check found.
//
// The rule of all of them: whatever stands in the files, opening and reading give the right answer or an error that
// names damage; never a wrong answer, never a crash.
// Thread safety: none.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "format/log.hpp"
#include "format/meta.hpp"
#include "os/sim_env.hpp"
#include "tests/engine_testing.hpp"

namespace vitrine::testing {

inline constexpr char kDamagePath[] = "/d/base.vtr";
inline constexpr char kDamageLogPath[] = "/d/base.vtr-wal";
inline constexpr std::uint32_t kDamagePageSize = 4096;

// Both files as they are.
struct Image {
  std::string data;
  std::optional<std::string> log;
  bool operator==(const Image&) const = default;
};

Image image_of(os::SimEnv& env);
// Makes the two files hold exactly `image`.
Status place(os::SimEnv& env, const Image& image);
format::Meta meta_of(const Image& image);
// Opens the frames of the log; null when the database is not encrypted.
std::unique_ptr<format::LogSeal> log_seal_of(const Image& image);

// A database with several keyspaces, one of them without versions, inner nodes, values in one extent and in a list of
// extents, free pages, and a log of several segments with commits that no checkpoint has.
struct Reference {
  Image image;
  Model model;
  std::map<std::uint64_t, std::uint64_t> states;  // hash of the content after each commit
  std::uint64_t last_commit = 0;
  std::uint64_t pages_allocated = 0;  // of the last checkpoint
};
// Equal seeds give equal databases, but for `env_seed`, on which the file id depends.
Result<Reference> make_reference(std::uint64_t seed, std::uint64_t env_seed);

// The bytes of the log that mean something.
struct LogRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool is_last_frame = false;
};
std::vector<LogRange> live_ranges(const Image& image);

struct Look {
  Status error;                        // of opening or reading everything; ok: all of it was read
  std::optional<std::uint64_t> hash;   // of everything
  std::optional<VerifyReport> report;  // when it opened
  std::uint64_t commit_seq = 0;        // when it opened

  bool is_clean() const { return error.is_ok() && report && report->is_clean(); }
  std::string to_string() const;
};

enum class Reading : std::uint8_t { Everything, NothingButVerify };
Look look_at(os::Env& env, Access access, Reading reading = Reading::Everything);

// An error that says that files are damaged, or are not what they should be.
bool names_damage(const Status& status);

// Ok when every entry of `model` is read as it is, or with an error that names damage.
Status check_entries_one_by_one(os::Env& env, const Model& model);

}  // namespace vitrine::testing
