// SPDX-License-Identifier: MIT OR Apache-2.0
// Options of a database, a commit and a keyspace. Every default is usable as it is.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "vitrine/freshness.hpp"
#include "vitrine/secret.hpp"

namespace vitrine {

namespace os {
class Env;
}

// What an acknowledged commit survives. All three survive the death of the process.
enum class Durability : std::uint8_t {
  Full,      // power loss: commit() returns after the log is synced
  Periodic,  // power loss, but for the last Options::sync_period: a timer syncs, an idle tail too
  None,      // power loss up to the last checkpoint or sync; what survives is always a prefix of the commits
};

enum class Access : std::uint8_t {
  ReadWrite,  // one such handle at a time, on the whole machine
  ReadOnly,   // any number, also while another process writes; see Database::refresh
};

struct Options {
  // --- Behaviour
  Access access = Access::ReadWrite;
  // How long open() waits for another writer to go away. Default: 0, because an unexpected second writer is a mistake.
  std::chrono::milliseconds lock_timeout{0};
  // Open although the log with acknowledged commits is missing or damaged: what it held is lost. Never set it in
  // advance; `vitrine salvage` and people set it.
  bool accept_lost_log = false;

  // --- Encryption
  // Opens an encrypted database; a new one is encrypted if it is given. Not kept once the database is open.
  Secret secret;
  Cipher cipher = Cipher::Automatic;  // of a new database

  // --- Freshness
  // open() refuses a database that does not have this commit (RolledBack, Forked).
  std::optional<CommitToken> min_commit;
  // A file kept elsewhere that names the newest durable commit. A handle for writing makes it when it is missing and
  // moves it on with each sync, before the commit is acknowledged: one more write and sync for each group of commits.
  // Every handle refuses a database that does not have the commit it names. Empty: none.
  std::string anchor;
  // Open although the database is behind or forked; a handle for writing then moves the anchor to what it finds. Never
  // set it in advance: for people who restored an older state themselves, and for looking.
  bool accept_rollback = false;

  // --- Durability
  Durability durability = Durability::Full;  // of commits that do not say
  std::chrono::milliseconds sync_period{200};

  // --- Performance
  // Page size of a new file, a power of two from 4096 to 65536; ignored when the file exists. 0 takes the default.
  std::uint32_t page_size = 0;
  // Memory for pages, in bytes, at least 64 KiB; 256 pages are kept whatever it says, or 32 when it is below 1 MiB.
  // Buffers of the log and of large values come on top and are bounded by a quarter of it, or 256 KiB.
  std::uint64_t cache_size = 64ull << 20;
  // Bound of the log file, in bytes, at least 1 MiB. A checkpoint starts when half of it is used. 0: 64 MiB, or a
  // quarter of the cache if that is more, up to 1 GiB. The file grows towards the bound only under load.
  std::uint64_t log_size_max = 0;
  // Size of one log segment, a power of two from 16 KiB; 0: 1 MiB, or less when the bound is small.
  std::uint32_t log_segment_size = 0;

  // --- Seams
  // The operating system to use; null is the machine. Must outlive the database.
  os::Env* env = nullptr;
};

struct KeyspaceOptions {
  // Keep with each entry the commit sequence number that last wrote it (1 to 9 bytes each): Entry::version,
  // compare_and_set. Default: on, because lost updates are worse than four bytes.
  bool versions = true;
};

struct Progress {
  std::uint64_t done = 0;
  std::uint64_t total = 0;  // 0: not known
  std::string_view unit;    // "pages", "entries", "bytes"
};

// Called now and then from the calling thread; returning false cancels the operation (error Cancelled). What it throws
// ends the operation the same way, and passes through.
using ProgressFunction = std::function<bool(const Progress&)>;

}  // namespace vitrine
