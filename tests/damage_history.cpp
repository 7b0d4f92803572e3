// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tests/damage_history.hpp"

#include <optional>

#include "base/prng.hpp"
#include "base/try.hpp"

namespace vitrine::testing {
namespace {

class Life {
 public:
  Life(os::SimEnv& env, DamageHistory& history, const HistoryOptions& options)
      : env_(env), history_(history), options_(options), random_(options.seed) {}

  Status run() {
    CHECK(open(OpenMode::CreateIfMissing));
    for (std::uint64_t round = 0; round < options_.rounds; ++round) {
      for (std::uint64_t commits = random_.between(1, 3); commits > 0; --commits) CHECK(commit());
      CHECK(housekeeping(random_.below(6)));
    }
    CHECK(commit());
    return options_.ends_closed ? close() : Status{};
  }

 private:
  Status open(OpenMode mode) {
    db_.emplace(TRY(Database::open(kDamagePath, mode, small_options(env_))));
    return note();
  }

  Status close() {
    CHECK(db_->close());
    db_.reset();
    const format::Meta meta = meta_of(image_of(env_));
    history_.moments.push_back({image_of(env_), meta.commit_seq, meta.commit_seq});
    return {};
  }

  Status housekeeping(std::uint64_t what) {
    if (what < 3) {
      CHECK(db_->checkpoint());
    } else if (what == 3) {
      CHECK(db_->compact().status());
    } else if (what == 4) {
      CHECK(close());
      return open(OpenMode::MustExist);
    } else {
      const Image crashed = image_of(env_);
      CHECK(close());
      history_.moments.pop_back();  // did not happen
      CHECK(place(env_, crashed));
      return open(OpenMode::MustExist);
    }
    return note();
  }

  Status change(WriteTransaction& txn) {
    const Keyspace words = TRY(txn.ensure_keyspace("words"));
    for (int i = 0; i < 6; ++i) {
      const std::string key = "key " + std::to_string(random_.below(60));
      if (random_.one_in(4)) {
        CHECK(txn.erase(words, key).status());
      } else {
        CHECK(txn.put(words, key, random_bytes(random_.next(), random_.below(600))));
      }
    }
    if (random_.one_in(4)) CHECK(txn.put("large", random_bytes(random_.next(), random_.between(5000, 12'000))));
    return txn.put("counter", std::to_string(random_.next()));
  }

  Status commit() {
    CHECK(db_->write([this](WriteTransaction& txn) { return change(txn); }));
    return note();
  }

  Status note() {
    const std::uint64_t commit = TRY(db_->info()).commit_seq;
    history_.states[commit] = TRY(hash_of(*db_));
    Image image = image_of(env_);
    const std::uint64_t checkpoint_commit = meta_of(image).commit_seq;
    history_.moments.push_back({std::move(image), commit, checkpoint_commit});
    return {};
  }

  os::SimEnv& env_;
  DamageHistory& history_;
  const HistoryOptions& options_;
  base::Prng random_;
  std::optional<Database> db_;
};

}  // namespace

Result<DamageHistory> live_through(const HistoryOptions& options) {
  const std::unique_ptr<os::SimEnv> env = os::SimEnv::create({.seed = options.env_seed});
  DamageHistory history;
  CHECK(Life(*env, history, options).run());
  return history;
}

Result<DamageHistory> go_on(const DamageHistory& history, const HistoryOptions& options) {
  const std::unique_ptr<os::SimEnv> env = os::SimEnv::create({.seed = options.env_seed});
  CHECK(place(*env, history.last().image));
  DamageHistory other;
  CHECK(Life(*env, other, options).run());
  return other;
}

}  // namespace vitrine::testing
