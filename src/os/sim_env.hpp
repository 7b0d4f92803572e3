// SPDX-License-Identifier: MIT OR Apache-2.0
// A simulated machine for tests: a disk that keeps nothing it was not told to sync, its own clock and its own
// randomness. Runs the real engine; everything it does depends on its seed and on the calls made, nothing else.
//
// Every fallible call is an operation with a number, counted from 1. A test can stop the machine before operation n
// (all later calls fail and change nothing), make operation n fail in many ways (sim_fault.hpp), watch operations
// through hooks, and enumerate what a power cut may leave of the current state (sim_crash.hpp).
//
// Limits of the model: a directory change is atomic; a rename between directories is durable with the directory of the
// new name; reads of other handles see a write at once.
// Thread safety: none; one thread runs everything (has_background_threads() is false).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "os/env.hpp"
#include "os/sim_disk.hpp"
#include "os/sim_fault.hpp"

namespace vitrine::os {

struct SimOptions {
  std::uint64_t seed = 1;
  std::uint32_t sector_size = 512;                  // what a power cut cannot tear; 512 or 4096
  std::uint64_t capacity_bytes = kSimUnlimited;     // DiskFull beyond it, counted in pages of 4 KiB
  std::uint64_t wall_start_ms = 1'700'000'000'000;  // November 2023
  std::uint64_t step_ns = 100;                      // how far the clock moves with every call
};

struct SimWrite {
  std::uint64_t operation;
  const std::string& path;  // the name the handle was opened by
  std::uint64_t offset;
  std::uint64_t size;
  bool overwrites_durable;  // the range holds durable bytes that are not all zero
};

struct SimHooks {
  // Before the operation does anything, and not for operations of a stopped machine.
  std::function<void(std::uint64_t number, SimOperation kind, const std::string& path)> on_operation;
  // Before a write takes effect, unless a fault prevents it altogether.
  std::function<void(const SimWrite&)> on_write;
};

struct SimCounters {
  std::uint64_t operations = 0;
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  std::uint64_t syncs = 0;
  std::uint64_t directory_syncs = 0;
  std::uint64_t faults = 0;  // how many faults struck
};

// State shared by the environment and its handles, which may outlive it. Not for tests.
struct SimMachine {
  // What the plan has for the operation that begins. A status that is not ok ends the call, after a failing write has
  // taken its partial effect.
  struct Verdict {
    Status status;
    std::optional<SimFault> fault;
  };

  explicit SimMachine(const SimOptions& chosen, std::uint64_t last_inode);
  Verdict begin(SimOperation kind, const std::string& path);

  SimOptions options;
  SimDisk disk;
  base::Prng random;
  SimHooks hooks;
  SimCounters counters;
  SimFaultPlan faults;
  std::uint64_t stop_before = kSimUnlimited;
  Status stopped_status;
  std::uint64_t now_ns = 1'000'000'000;
  std::int64_t wall_shift_ms = 0;
};

class SimEnv final : public Env {
 public:
  static std::unique_ptr<SimEnv> create(const SimOptions& options);

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<std::unique_ptr<File>> open_temporary(const std::string& near_path) override;
  Result<bool> exists(const std::string& path) override;
  Status remove(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status rename_new(const std::string& from, const std::string& to) override;
  Status sync_directory_of(const std::string& path) override;
  Result<FilesystemInfo> filesystem_of(const std::string& path) override;
  std::uint64_t wall_ms() override;
  std::uint64_t monotonic_ns() override;
  Status random_bytes(std::span<std::byte> to) override;
  std::uint64_t process_id() override { return 1; }
  void sleep_ms(std::uint64_t duration) override { advance_ns(duration * 1'000'000); }
  bool has_background_threads() override { return false; }

  // Stopping. Operations are counted from 1; operation n and all later ones fail.
  std::uint64_t operations() const { return machine_->counters.operations; }
  void stop_before(std::uint64_t operation) { machine_->stop_before = operation; }
  void stop() { stop_before(0); }
  bool is_stopped() const { return operations() + 1 >= machine_->stop_before; }

  // Faults.
  void inject(SimFault fault) { machine_->faults.add(std::move(fault)); }
  void clear_faults() { machine_->faults.clear(); }
  void set_capacity(std::uint64_t bytes) { machine_->options.capacity_bytes = bytes; }
  std::uint64_t used_bytes() const { return machine_->disk.used_bytes(); }

  // Damage of the durable content. Reads see it where no unsynced write covers it. The file must exist.
  void flip_bit(const std::string& path, std::uint64_t offset, unsigned bit);
  void write_durable(const std::string& path, std::uint64_t offset, std::string_view bytes);
  std::string read_durable(const std::string& path, std::uint64_t offset, std::size_t size) const;
  // Makes reads see what is on the disk, as if every cached page was evicted after being written out.
  void drop_caches();

  // Time.
  void advance_ns(std::uint64_t by) { machine_->now_ns += by; }
  void shift_wall_ms(std::int64_t by) { machine_->wall_shift_ms += by; }

  // Watching.
  SimHooks& hooks() { return machine_->hooks; }
  const SimCounters& counters() const { return machine_->counters; }
  const SimOptions& options() const { return machine_->options; }
  const SimDisk& disk() const { return machine_->disk; }
  std::vector<std::string> names() const;
  // Of everything reads can see through names.
  std::uint64_t visible_hash() const;

 private:
  friend class SimImage;  // makes environments out of images
  explicit SimEnv(const SimOptions& options, std::uint64_t last_inode);
  std::unique_ptr<File> make_handle(std::shared_ptr<SimInode> inode, const std::string& path, OpenMode mode);
  Status move_name(const std::string& from, const std::string& to);
  SimInode& inode_at(const std::string& path) const;

  std::shared_ptr<SimMachine> machine_;
};

}  // namespace vitrine::os
