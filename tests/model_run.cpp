// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tests/model_run.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "tests/engine_testing.hpp"

namespace vitrine::testing {
namespace {

constexpr std::size_t kKeySizeMax = 1024;
constexpr std::size_t kSnapshotsMax = 4;

void copy_files(const std::string& from, const std::string& to) {
  std::filesystem::copy_file(from, to);
  if (std::filesystem::exists(from + "-wal")) std::filesystem::copy_file(from + "-wal", to + "-wal");
}

}  // namespace

ModelRun::ModelRun(const ModelSetup& setup, std::uint64_t seed, std::uint64_t& checked)
    : setup_(setup), random_(seed), checked_(checked) {
  content_["default"].keyspace = Keyspace{};
  open();
  key_size_max_ = db_->info().value().key_size_max;
  const auto style = static_cast<KeyStyle>(random_.below(kKeyStyles));
  keys_ = make_keys(style, std::size_t{50} << random_.below(8), std::min(key_size_max_, kKeySizeMax), random_);
  habits_.value_size_max = std::uint64_t{8} << random_.below(8);
  if (random_.one_in(3)) habits_.large_one_in = 50u << random_.below(4);
  transaction_steps_max_ = std::uint64_t{8} << random_.below(8);
}

void ModelRun::run(std::uint64_t steps) {
  const std::uint64_t end = checked_ + steps;
  while (checked_ < end) {
    if (random_.one_in(30)) habits_.put_share = random_.between(25, 95);
    if (random_.one_in(8)) {
      one_operation();
    } else {
      transaction();
    }
    take_or_drop_snapshot();
    care();
  }
  read_snapshots();
  snapshots_.clear();
  demand_all(*db_);
  if (!setup_.in_memory) reopen();
  demand_ok(db_->vacuum().status(), "vacuum");
  demand_all(*db_);
  demand_ok(db_->close(), "close");
}

// --- Opening ---------------------------------------------------------------------------------------------------------

Options ModelRun::any_options() {
  Options options;
  options.page_size = setup_.page_size;
  options.cache_size = setup_.cache_size;
  options.log_size_max = (1ull << 20) << random_.below(4);
  if (random_.one_in(2)) options.log_segment_size = 16u << 10;
  options.durability = any_durability().value_or(Durability::None);
  options.sync_period = std::chrono::milliseconds(random_.between(1, 50));
  return options;
}

void ModelRun::open() {
  const Options options = any_options();
  db_.emplace(setup_.in_memory ? Database::open_in_memory(options).value()
                               : Database::open(path_, OpenMode::CreateIfMissing, options).value());
}

void ModelRun::reopen() {
  if (random_.one_in(2)) {
    demand_ok(db_->close(), "close");
    for (const auto& snapshot : snapshots_) {
      demand_code(snapshot->txn.get("key").status(), ErrorCode::TransactionFinished, "a snapshot after close");
    }
  }
  snapshots_.clear();
  db_.reset();
  open();
  demand(db_->info().value().was_clean, "the database was not closed in order");
  demand_all(*db_);
}

// --- Transactions ----------------------------------------------------------------------------------------------------

std::optional<Durability> ModelRun::any_durability() {
  switch (random_.below(6)) {
    case 0:
      return Durability::Full;
    case 1:
      return Durability::Periodic;
    case 2:
      return std::nullopt;
    default:
      return Durability::None;
  }
}

void ModelRun::transaction() {
  WriteTransaction txn = db_->begin_write().value();
  ModelWriter writer(txn, content_, keys_, habits_, key_size_max_, random_, checked_);
  for (std::uint64_t i = random_.below(transaction_steps_max_ + 1); i > 0; --i) {
    writer.step();
    if (random_.one_in(100)) read_snapshots();
  }
  end(txn, writer);
}

void ModelRun::end(WriteTransaction& txn, ModelWriter& writer) {
  if (random_.one_in(10)) {
    writer.undo();
    if (random_.one_in(2)) txn.rollback();  // else its destruction does it
    return;
  }
  const std::uint64_t before = txn.snapshot_seq();
  const Commit commit = txn.commit(any_durability());
  demand_ok(commit.status, "commit");
  demand(commit.is_applied(), "a commit that is ok is not applied");
  if (writer.has_changed()) demand(commit.seq == before + 1, "commits are not numbered one by one");
  demand_code(txn.put("key", "value"), ErrorCode::TransactionFinished, "put after commit");
}

void ModelRun::one_operation() {
  PieceEntries& entries = content_.at("default").entries;
  const std::string& key = keys_[random_.below(keys_.size())];
  const auto at = entries.find(key);
  ++checked_;
  switch (random_.below(3)) {
    case 0:
      return puts_alone();
    case 1:
      demand(db_->erase(key).value() == (at != entries.end()), "erase");
      if (at != entries.end()) entries.erase(at);
      return;
    default: {
      const std::optional<ByteString> found = db_->get(key).value();
      demand(found.has_value() == (at != entries.end()), "get");
      if (found) demand(*found == bytes_of(at->second.value), "get gives another value");
    }
  }
}

// Puts with a commit each, of which some change pages in place.
void ModelRun::puts_alone() {
  auto in = content_.begin();
  std::advance(in, random_.below(content_.size()));
  PieceKeyspace& keyspace = in->second;
  for (std::uint64_t i = random_.between(1, 12); i > 0; --i) {
    const std::string& key = keys_[random_.below(keys_.size())];
    const Piece value = random_piece(random_.below(habits_.value_size_max), random_);
    const std::optional<Durability> durability = random_.one_in(4) ? any_durability() : Durability::None;
    demand_ok(db_->put(keyspace.keyspace, key, bytes_of(value), durability), "put");
    const std::uint64_t seq = db_->begin_read().value().snapshot_seq();
    keyspace.entries[key] = {value, keyspace.keyspace.versions ? seq : 0};
    ++checked_;
    if (random_.one_in(6)) read_snapshots();
  }
}

// --- Snapshots -------------------------------------------------------------------------------------------------------

void ModelRun::read_snapshots() {
  for (const auto& snapshot : snapshots_) {
    ModelReader reader(snapshot->txn, snapshot->content, keys_, random_, checked_);
    for (std::uint64_t i = random_.below(8); i > 0; --i) reader.read_something();
  }
}

void ModelRun::take_or_drop_snapshot() {
  if (random_.one_in(6)) {
    // A new one sees the newest commit at once.
    const auto now = std::make_unique<Snapshot>(Snapshot{db_->begin_read().value(), {}});
    ModelReader reader(now->txn, content_, keys_, random_, checked_);
    for (std::uint64_t i = random_.below(30); i > 0; --i) reader.read_something();
  }
  if (random_.one_in(12) && snapshots_.size() < kSnapshotsMax) {
    snapshots_.push_back(std::make_unique<Snapshot>(Snapshot{db_->begin_read().value(), content_}));
  }
  if (!snapshots_.empty() && random_.one_in(30)) {
    const auto chosen = snapshots_.begin() + static_cast<std::ptrdiff_t>(random_.below(snapshots_.size()));
    checked_ += demand_content((*chosen)->txn, (*chosen)->content, random_);
    snapshots_.erase(chosen);
  }
}

// --- Between transactions --------------------------------------------------------------------------------------------

void ModelRun::care() {
  switch (random_.below(600)) {
    case 0:
    case 1:
    case 2:
      return demand_ok(db_->compact().status(), "compact");
    case 3:
    case 4:
    case 5:
      return demand_ok(db_->vacuum().status(), "vacuum");
    case 6:
    case 7:
      return back_up();
    case 8:
      return export_and_import();
    case 9:
    case 10:
    case 11:
      return setup_.in_memory ? back_up() : look_at_copy_of_files();
    case 12:
    case 13:
    case 14:
      if (!setup_.in_memory) reopen();
      return;
    case 15:
    case 16:
      return demand_all(*db_);
    default:
      if (random_.one_in(30)) demand_ok(db_->checkpoint(), "checkpoint");
      if (random_.one_in(50)) demand_ok(db_->sync(), "sync");
  }
}

void ModelRun::demand_all(const Database& db) {
  checked_ += demand_content(db.begin_read().value(), content_, random_);
  demand_ok(verify_clean(db), "verify");
}

// What the death of the process would leave: nothing that was committed may be missing, whatever its durability.
void ModelRun::look_at_copy_of_files() {
  const std::string copy = directory_.path("copy.vtr");
  copy_files(path_, copy);
  {
    const Database recovered = Database::open(copy, OpenMode::MustExist, any_options()).value();
    demand_all(recovered);
  }
  std::filesystem::remove(copy);
}

void ModelRun::back_up() {
  const std::string copy = directory_.path("backup.vtr");
  demand_ok(db_->backup(copy).status(), "backup");
  {
    const Database opened = Database::open(copy, OpenMode::MustExist, any_options()).value();
    demand_all(opened);
  }
  std::filesystem::remove(copy);
}

void ModelRun::export_and_import() {
  const std::string file = directory_.path("export");
  const TransferReport exported = db_->export_to(file).value();
  Database other = Database::open_in_memory(any_options()).value();
  demand_ok(other.put("in the way", "x"), "put");
  demand(other.import_from(file, ImportMode::Replace).value().entries == exported.entries, "import");
  checked_ += demand_content(other.begin_read().value(), content_, random_, Versions::Ignored);
  demand_ok(verify_clean(other), "verify");
  std::filesystem::remove(file);
}

}  // namespace vitrine::testing
