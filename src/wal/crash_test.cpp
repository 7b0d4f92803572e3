// SPDX-License-Identifier: MIT OR Apache-2.0
// Random sessions on a simulated disk that loses, tears and reorders what was not synced, fails writes and syncs, and
// is cut off at any operation, over and over on the same log.
//
// Checked after every cut, for many of the states it can leave: the scan finds every acknowledged transaction, and
// after those at most a prefix of the others; it never calls a torn tail damage; and damage inside acknowledged
// transactions is never taken for a torn tail. Checked all the time: no block with durable frames that are still needed
// is written (W1).
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <set>

#include "base/prng.hpp"
#include "os/sim_crash.hpp"
#include "os/sim_env.hpp"
#include "os/testing.hpp"
#include "wal/testing.hpp"

namespace vitrine::wal {
namespace {

using namespace testing;  // NOLINT: the helpers of this folder

// Frames of whole blocks and of whole segments, so that old and new boundaries collide, and some of odd sizes.
constexpr std::array<std::size_t, 8> kSizes{24, 150, 1000, 1984, 4096 - 64, 8192 - 64, 12288 - 64, 20'000};

// What must be true of the log: the checkpoint, and the transactions after it.
struct Model {
  LogPosition checkpoint = kStart;
  std::uint64_t checkpoint_seq = 0;
  std::vector<std::string> payloads{""};  // by commit sequence
  std::uint64_t acknowledged = 0;         // commit sequence
  Lsn durable = kStart.lsn;               // what the log called durable, frames without data included

  std::uint64_t last_seq() const { return payloads.size() - 1; }
};

// The machine with one log; runs sessions and keeps the model.
class Machine {
 public:
  explicit Machine(std::uint64_t seed) : random_(seed) {
    os::SimOptions options;
    options.seed = seed;
    options.sector_size = random_.one_in(2) ? 512 : 4096;
    env_ = os::SimEnv::create(options);
    options_ = small_options();
    options_.size_max = random_.between(4, 8) * kSegmentSize;
    log_ = create(*env_, options_);
    watch();
  }

  // Works until the machine stops or the log fails.
  void run_session() {
    if (!log_ && !open()) return;
    if (random_.one_in(2)) env_->stop_before(env_->operations() + random_.between(1, 60));
    if (random_.one_in(4)) inject_fault();
    const std::uint64_t steps = random_.between(5, 60);
    for (std::uint64_t i = 0; i < steps && step(); ++i) {
    }
  }

  // Ends the process, and mostly the machine with it. Looks at many states the disk may be in and goes on in one.
  void crash() {
    if (log_) model_.durable = log_->durable();
    log_.reset();
    written_.clear();
    durable_.clear();
    const bool power_stays = !env_->is_stopped() && random_.one_in(3);
    env_->clear_faults();
    if (power_stays) {
      env_->stop_before(os::kSimUnlimited);
      return check(*env_);
    }
    const os::SimCrash crash(*env_);
    os::SimCrashOptions options;
    options.exhaustive_units = 4;
    options.list_limit = 3;
    options.random_images = 12;
    options.seed = random_.next();
    options.tear_sectors = random_.one_in(2);
    std::unique_ptr<os::SimEnv> next;
    std::uint64_t count = 0;
    crash.for_each_image(options, [&](const os::SimImage& image) {
      std::unique_ptr<os::SimEnv> env = image.make_env();
      check(*env);
      if (::testing::Test::HasFailure()) std::cerr << image.describe() << '\n';
      if (random_.one_in(++count)) next = std::move(env);
      return !::testing::Test::HasFailure();
    });
    env_ = std::move(next);
    watch();
  }

  // Syncs and seals, then flips bits of what is durable: each is noticed unless nothing depends on it.
  void check_damage() {
    if (!log_ && !open()) return;
    env_->stop_before(os::kSimUnlimited);
    env_->clear_faults();
    if (!log_->seal().is_ok()) return;
    model_.acknowledged = model_.last_seq();
    const Scanned whole = scan(*env_, model_.checkpoint);
    ASSERT_TRUE(whole.status.is_ok()) << whole.status.to_string();
    for (int i = 0; i < 20; ++i) {
      const Lsn lsn = random_.between(model_.checkpoint.lsn, whole.result.end.lsn);
      const std::uint64_t offset = offset_of(whole.result, lsn);
      const auto bit = static_cast<unsigned>(random_.below(8));
      env_->flip_bit(kPath, offset, bit);
      const Scanned damaged = scan(*env_, model_.checkpoint);
      EXPECT_TRUE(!damaged.status.is_ok() || damaged.transactions == whole.transactions) << "flipped LSN " << lsn;
      env_->flip_bit(kPath, offset, bit);
    }
  }

  // A write that the disk acknowledges and loses, or puts elsewhere, is noticed once later frames vouch for it.
  void check_lost_write() {
    if (!log_ && !open()) return;
    env_->stop_before(os::kSimUnlimited);
    env_->clear_faults();
    env_->hooks().on_write = nullptr;  // a misdirected write is not the log's fault
    os::SimFault fault;
    fault.operation = env_->operations() + 1;
    fault.kinds = {os::SimOperation::Write};
    fault.effect = random_.one_in(2) ? os::SimEffect::Lose : os::SimEffect::Misdirect;
    fault.misdirected_to = random_.below(log_->file_size() / 4096) * 4096;
    env_->inject(fault);
    for (int i = 0; i < 3 && step(); ++i) {
    }
    if (!log_->seal().is_ok()) return;
    env_->drop_caches();
    const Scanned scanned = scan(*env_, model_.checkpoint);
    const std::uint64_t expected = model_.last_seq() - model_.checkpoint_seq;
    EXPECT_TRUE(!scanned.status.is_ok() || scanned.transactions.size() == expected);
  }

 private:
  // A new process opens the log. False when it did not come to the end of that.
  bool open() {
    if (random_.one_in(4)) env_->stop_before(env_->operations() + random_.between(1, 40));
    std::unique_ptr<Log> log;
    Scanned scanned;
    try {
      std::unique_ptr<os::File> file = env_->open(kPath, os::OpenMode::ReadWrite).value();
      scanned = scan(*file, model_.checkpoint);
      if (scanned.status.is_ok()) log = Log::resume(*env_, std::move(file), scanned.result, kFile, options_).value();
    } catch (const Error&) {
    }
    if (!log) {
      EXPECT_TRUE(env_->is_stopped()) << scanned.status.to_string();
      return false;
    }
    model_.durable = log->durable();
    std::array<std::byte, 16> random;
    for (std::byte& byte : random) byte = static_cast<std::byte>(random_.next());
    Status status = log->append_open(1, 0, random);
    if (!status.is_ok()) {
      // A log that was full needs a checkpoint first, as in the engine.
      if (status.code() != ErrorCode::LogFull) return false;
      model_.checkpoint = log->position();
      model_.checkpoint_seq = model_.checkpoint_seq + scanned.transactions.size();
      log->recycle(model_.checkpoint.lsn);
      written_.clear();
      model_.payloads.resize(model_.checkpoint_seq + 1);
      model_.acknowledged = model_.checkpoint_seq;
      if (!log->append_open(1, 0, random).is_ok()) return false;
    } else {
      // What was recovered is now as good as acknowledged, and the rest never happened.
      model_.payloads.resize(model_.checkpoint_seq + scanned.transactions.size() + 1);
      model_.acknowledged = model_.last_seq();
    }
    log_ = std::move(log);
    return true;
  }

  bool step() {
    switch (random_.below(12)) {
      case 0:
        return log_->write_out(log_->position().lsn).is_ok();
      case 1:
      case 2:
        return sync();
      case 3:
        if (!log_->seal().is_ok()) return false;
        note_durable(model_.last_seq());
        return true;
      case 4:
        return random_.one_in(2) ? checkpoint() : true;
      default:
        return commit();
    }
  }

  bool commit() {
    const std::uint64_t seq = model_.last_seq() + 1;
    const std::string payload = payload_of(seq, kSizes[random_.below(kSizes.size())]);
    Status status = log_->reserve(payload.size());
    if (status.code() == ErrorCode::LogFull) {
      if (!checkpoint()) return false;
      status = log_->reserve(payload.size());
    }
    if (!status.is_ok()) return false;
    model_.payloads.push_back(payload);
    return log_->append(seq, payload).has_value() && (random_.one_in(2) || sync());
  }

  bool sync() {
    const std::uint64_t seq = model_.last_seq();
    if (!log_->sync(log_->position().lsn).is_ok()) return false;
    note_durable(seq);
    return true;
  }

  void note_durable(std::uint64_t seq) {
    model_.acknowledged = seq;
    durable_.insert(written_.begin(), written_.end());
    written_.clear();
  }

  bool checkpoint() {
    const LogPosition position = log_->position();
    if (!sync()) return false;
    model_.checkpoint = position;
    model_.checkpoint_seq = model_.last_seq();
    log_->recycle(position.lsn);
    durable_.clear();
    return true;
  }

  void inject_fault() {
    os::SimFault fault;
    fault.operation = env_->operations() + random_.between(1, 30);
    if (random_.one_in(2)) {
      fault.kinds = {os::SimOperation::Sync};
      fault.sync_failure = std::array{os::SyncFailure::DropPending, os::SyncFailure::PartlyDurable,
                                      os::SyncFailure::RevertPending}[random_.below(3)];
    } else {
      fault.kinds = {os::SimOperation::Write};
      fault.partial_bytes = random_.below(20'000);
    }
    env_->inject(fault);
  }

  // Everything acknowledged, then at most a prefix of the rest; a torn tail is no damage.
  void check(os::SimEnv& env) {
    const Scanned scanned = scan(env, model_.checkpoint);
    ASSERT_TRUE(scanned.status.is_ok()) << scanned.status.to_string();
    check_transactions(scanned);
    if (!random_.one_in(4)) return;
    // A flipped bit outside of what was acknowledged changes nothing of this.
    const os::SimCrash crash(env);
    const std::unique_ptr<os::SimEnv> damaged = crash.image_with_none().make_env();
    const std::uint64_t size = damaged->open(kPath, os::OpenMode::ReadOnly).value()->size().value();
    const std::uint64_t offset = random_.between(4096, size - 1);
    if (is_durable(scanned, offset)) return;
    damaged->flip_bit(kPath, offset, 3);
    const Scanned again = scan(*damaged, model_.checkpoint);
    ASSERT_TRUE(again.status.is_ok()) << again.status.to_string() << " flipped " << offset;
    check_transactions(again);
  }

  void check_transactions(const Scanned& scanned) {
    ASSERT_GE(model_.checkpoint_seq + scanned.transactions.size(), model_.acknowledged);
    ASSERT_LE(model_.checkpoint_seq + scanned.transactions.size(), model_.last_seq());
    for (std::size_t i = 0; i < scanned.transactions.size(); ++i) {
      const std::uint64_t seq = model_.checkpoint_seq + i + 1;
      ASSERT_EQ(scanned.transactions[i].first, seq);
      ASSERT_EQ(scanned.transactions[i].second, model_.payloads[seq]);
    }
  }

  // Does the byte of the file lie in a block with frames that the log called durable, or in their segment header?
  bool is_durable(const Scanned& scanned, std::uint64_t offset) const {
    const std::uint64_t block = offset / 4096;
    const Lsn end = std::max(model_.durable, model_.checkpoint.lsn);
    for (const auto& [segment, slot] : scanned.result.slots) {
      const Lsn begin = segment * kSegmentSize;
      if (begin >= end || begin + kSegmentSize < model_.checkpoint.lsn) continue;
      const std::uint64_t first = (format::kLogSlotsOffset + slot * kSegmentSize) / 4096;
      if (block >= first && block < first + (std::min<Lsn>(end, begin + kSegmentSize) - begin + 4095) / 4096) {
        return true;
      }
    }
    return false;
  }

  void watch() {
    env_->hooks().on_write = [this](const os::SimWrite& write) {
      if (!write.path.starts_with(kPath) || write.offset < format::kLogSlotsOffset) return;  // kPath.new at first
      for (std::uint64_t block = write.offset / 4096; block * 4096 < write.offset + write.size; ++block) {
        if (write.overwrites_durable && durable_.contains(block)) {
          // The zeros of a slot that was made ready may be overwritten, of course.
          const std::string before = env_->read_durable(kPath, block * 4096, 4096);
          EXPECT_EQ(before.find_first_not_of('\0'), std::string::npos) << "block " << block << " is written again";
        }
        written_.insert(block);
      }
    };
  }

  base::Prng random_;
  std::unique_ptr<os::SimEnv> env_;
  LogOptions options_;
  std::unique_ptr<Log> log_;
  Model model_;
  std::set<std::uint64_t> written_;  // blocks written since the last sync
  std::set<std::uint64_t> durable_;  // blocks synced since the last checkpoint or start
};

void run_rounds(const std::function<void(Machine&)>& round, std::uint64_t count) {
  const std::uint64_t first_seed = os::testing::seed();
  for (std::uint64_t seed = first_seed; seed < first_seed + count; ++seed) {
    SCOPED_TRACE("VITRINE_SEED=" + std::to_string(seed));
    Machine machine(seed);
    round(machine);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(LogCrash, every_acknowledged_transaction_survives_repeated_power_cuts) {
  run_rounds(
      [](Machine& machine) {
        for (int session = 0; session < 12 && !::testing::Test::HasFailure(); ++session) {
          machine.run_session();
          machine.crash();
        }
      },
      100);
}

TEST(LogCrash, a_flipped_bit_in_acknowledged_data_is_never_taken_for_the_end) {
  run_rounds(
      [](Machine& machine) {
        for (int session = 0; session < 4 && !::testing::Test::HasFailure(); ++session) {
          machine.run_session();
          machine.crash();
          machine.check_damage();
          machine.crash();
        }
      },
      60);
}

TEST(LogCrash, a_write_that_the_disk_lost_is_never_taken_for_the_end) {
  run_rounds(
      [](Machine& machine) {
        machine.run_session();
        machine.crash();
        machine.check_lost_write();
      },
      200);
}

}  // namespace
}  // namespace vitrine::wal
