// SPDX-License-Identifier: MIT OR Apache-2.0
// The state of the simulated disk: for every file what reads see, what is durable, and in between the ordered changes
// that a crash may keep or lose one by one; for names the same.
//
// A write that grows a file is two changes, the growth and the bytes, because a file system may persist either alone.
// Names change independently of contents: a file synced under a name that was never synced is gone after a crash.
//
// Invariants: durable + pending (in order) = visible, except where a fault dropped or misdirected something; bytes at
// or beyond a size are zero in `visible` and `durable`.
// Thread safety: none.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/prng.hpp"
#include "os/range_locks.hpp"
#include "os/sim_bytes.hpp"
#include "os/sim_fault.hpp"

namespace vitrine::os {

// One version of one file.
struct SimFileState {
  SimBytes bytes;
  std::uint64_t size = 0;
  std::vector<bool> has_space;  // per SimBytes page: written or reserved

  void mark_space(std::uint64_t offset, std::uint64_t length);
  void set_size(std::uint64_t to);
  std::uint64_t hash() const { return sim_mix(bytes.hash() + sim_mix(size)); }
};

// One change of a file that is not durable yet.
struct SimChange {
  enum class Kind : std::uint8_t {
    Write,   // bytes at offset; does not grow the file
    Grow,    // the file reaches at least to offset + length, which has space
    Resize,  // the file ends at length
  };
  Kind kind = Kind::Write;
  std::uint64_t sequence = 0;  // orders the changes of all files and names
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool moves_end = false;  // Grow: does it change the size, or only reserve space?
  std::vector<std::byte> bytes = {};
};

void sim_apply(SimFileState& state, const SimChange& change);

// The share of one named file in the hash of a whole disk, which is the sum over its files.
std::uint64_t sim_name_hash(std::string_view path, const SimFileState& state);

struct SimInode {
  std::uint64_t number = 0;
  SimFileState visible;
  SimFileState durable;
  std::vector<SimChange> pending;
  std::uint64_t pending_size = 0;  // the durable size once all of `pending` is applied
  RangeLocks locks;
  std::uint64_t open_handles = 0;

  void add_pending(SimChange change);
  void make_pending_durable();
  void drop_pending();
};

// One change of the names that is not durable yet. `to` is empty for a removal, `from` for a creation.
struct SimNameChange {
  std::uint64_t sequence = 0;
  std::string from;
  std::string to;
  std::shared_ptr<SimInode> inode;
};

using SimNames = std::map<std::string, std::shared_ptr<SimInode>>;

// Puts a change into effect, also when changes before it were lost.
void sim_apply(SimNames& names, const SimNameChange& change);

constexpr std::uint64_t kSimUnlimited = std::numeric_limits<std::uint64_t>::max();

class SimDisk {
 public:
  SimDisk(std::uint64_t seed, std::uint64_t last_inode) : random_(seed), last_inode_(last_inode) {}

  std::shared_ptr<SimInode> make_inode();
  std::uint64_t last_inode() const { return last_inode_; }

  // Files.
  void write(SimInode& inode, std::uint64_t offset, std::vector<std::byte> bytes);
  void write_lost(SimInode& inode, std::uint64_t offset, const std::vector<std::byte>& bytes);
  void write_misdirected(SimInode& inode, std::uint64_t offset, std::vector<std::byte> bytes, std::uint64_t to);
  void resize(SimInode& inode, std::uint64_t size);
  void reserve(SimInode& inode, std::uint64_t offset, std::uint64_t size);
  void fail_sync(SimInode& inode, SyncFailure how, std::uint64_t sector_size);

  // Names. The callers check what must exist.
  const SimNames& names() const { return names_; }
  void add_name(const std::string& path, std::shared_ptr<SimInode> inode);
  void remove_name(const std::string& path);
  void move_name(const std::string& from, const std::string& to);
  void sync_directory(std::string_view directory);
  void fail_directory_sync(std::string_view directory, SyncFailure how);

  // A file that was there before the simulation began.
  void add_durable(const std::string& path, SimFileState state);

  const SimNames& durable_names() const { return durable_names_; }
  const std::vector<SimNameChange>& pending_names() const { return pending_names_; }

  // Space that visible files take. A file without a name counts while it is open.
  std::uint64_t used_bytes() const;
  // How much of a write or reservation finds space, in bytes from `offset`.
  std::uint64_t fitting(const SimInode& inode, std::uint64_t offset, std::uint64_t size, std::uint64_t capacity) const;

 private:
  SimChange change(SimChange::Kind kind, std::uint64_t offset, std::uint64_t length);
  void show_write(SimInode& inode, std::uint64_t offset, const std::vector<std::byte>& bytes);
  void grow_pending(SimInode& inode, std::uint64_t offset, std::uint64_t length);
  void apply_name_change(std::string from, std::string to, std::shared_ptr<SimInode> inode);

  base::Prng random_;
  SimNames names_;
  SimNames durable_names_;
  std::vector<SimNameChange> pending_names_;
  std::vector<std::weak_ptr<SimInode>> inodes_;
  std::uint64_t last_inode_;
  std::uint64_t last_sequence_ = 0;
};

}  // namespace vitrine::os
