// SPDX-License-Identifier: MIT OR Apache-2.0
// The operating system as the engine sees it. Knows files, locks, time, randomness and memory; must not know pages or
// encryption. The only folder with system calls (checked by tools/tidy.py).
//
// Three implementations answer to this interface: the machine (system_env), memory (memory_env.hpp) and a simulated
// disk that loses, tears and reorders what was not synced (sim_env.hpp).
//
// Thread safety: every method may be called from any thread at any time, except that destroying a File while a call on
// it runs is an error of the caller.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "vitrine/status.hpp"

namespace vitrine::os {

struct IoSlice {
  const void* data;
  std::size_t size;
};

enum class OpenMode : std::uint8_t {
  ReadOnly,   // must exist
  ReadWrite,  // must exist
  CreateNew,  // must not exist; made with mode 0600, read and write
};

enum class LockMode : std::uint8_t { Shared, Exclusive };

// Identity of the file behind a handle; equal for two handles of one file, whatever its names.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  bool operator==(const FileIdentity&) const = default;
};

// One open file. Every call runs to completion (short transfers and EINTR are continued inside); an error may leave a
// write partly done. Errors: ReadFailed, WriteFailed, SyncFailed, DiskFull, FileReadOnly, SystemFailed, each with the
// details "path", "offset", "operation" and "errno" where they apply.
class File {
 public:
  virtual ~File() = default;

  // Reads `size` bytes at `offset` into `to`. Returns how many were there: fewer than `size` only at the end of file.
  virtual Result<std::size_t> read_at(std::uint64_t offset, void* to, std::size_t size) = 0;

  // Writes all slices one after the other at `offset`, growing the file when it ends beyond its size.
  virtual Status write_at(std::uint64_t offset, std::span<const IoSlice> slices) = 0;

  // Makes everything written so far, and the size, durable (fdatasync). After a failure nothing is known about any
  // write since the last success, and a second call must not be believed: the caller stops writing for good.
  virtual Status sync() = 0;

  virtual Result<std::uint64_t> size() = 0;
  virtual Status resize(std::uint64_t size) = 0;  // cut, or grow with zeros that take no space

  // Gives [offset, offset + size) real space, zeroed where it was not written, and grows the file to cover it. After
  // success writes inside it cannot fail with DiskFull. Falls back to writing zeros where the system has no fallocate.
  virtual Status reserve(std::uint64_t offset, std::uint64_t size) = 0;

  // Byte-range locks that belong to this handle (open file description), conflict with every other handle including
  // those of this process, and vanish with the handle or its process. try_lock returns false when another handle is in
  // the way; on a range that this handle already holds it changes the mode.
  virtual Result<bool> try_lock(std::uint64_t offset, std::uint64_t size, LockMode mode) = 0;
  virtual Status unlock(std::uint64_t offset, std::uint64_t size) = 0;
  // Does any other handle hold a lock, of either mode, inside the range?
  virtual Result<bool> locked_by_other(std::uint64_t offset, std::uint64_t size) = 0;

  virtual Result<FileIdentity> identity() = 0;
};

struct FilesystemInfo {
  std::string type;         // "ext4", "nfs", ...; "unknown 0x..." otherwise
  bool is_network = false;  // locks and sync cannot be trusted to reach other machines
};

class Env {
 public:
  virtual ~Env() = default;

  // Opens a regular file. Never follows a symbolic link in the last component, never blocks on a pipe. Errors:
  // FileNotFound, FileExists, FileNotRegular, FilePermission, FileReadOnly, FileLimit, DiskFull, SystemFailed.
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;

  // A nameless file that vanishes when closed, in the directory `near_path` lies in or, if that is read-only, in the
  // system's directory for temporary files. Mode 0600.
  virtual Result<std::unique_ptr<File>> open_temporary(const std::string& near_path) = 0;

  virtual Result<bool> exists(const std::string& path) = 0;
  virtual Status remove(const std::string& path) = 0;
  // Atomically gives `from` the name `to`, replacing what is there.
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  // As rename, but FileExists when `to` is there already, whatever runs beside it.
  virtual Status rename_new(const std::string& from, const std::string& to) = 0;
  // Makes creations, renames and removals in the directory that holds `path` durable.
  virtual Status sync_directory_of(const std::string& path) = 0;

  virtual Result<FilesystemInfo> filesystem_of(const std::string& path) = 0;

  virtual std::uint64_t wall_ms() = 0;                       // since 1970; may jump
  virtual std::uint64_t monotonic_ns() = 0;                  // never goes back
  virtual Status random_bytes(std::span<std::byte> to) = 0;  // unpredictable
  virtual std::uint64_t process_id() = 0;
  virtual void sleep_ms(std::uint64_t duration) = 0;

  // False in simulations: the engine then does background work inside the calls that make it due, so that a run
  // depends on nothing but its seed.
  virtual bool has_background_threads() = 0;
};

// The machine. One object, never destroyed, without state.
Env& system_env();

}  // namespace vitrine::os
