// SPDX-License-Identifier: MIT OR Apache-2.0
// The life of one database beside the model: transactions of random steps, old snapshots that are read all along, and
// everything that may happen to a database in between: checkpoints, compaction, vacuum, backups, exports, reopening,
// the death of the process. At its end every page is checked and every entry compared.
//
// Throws vitrine::Error at the first difference. Thread safety: none.
#pragma once

#include <memory>

#include "os/testing.hpp"
#include "tests/model_writer.hpp"

namespace vitrine::testing {

struct ModelSetup {
  std::uint32_t page_size = 4096;
  std::uint64_t cache_size = 1u << 20;
  bool in_memory = false;
};

class ModelRun {
 public:
  // `checked` counts what was compared with the model.
  ModelRun(const ModelSetup& setup, std::uint64_t seed, std::uint64_t& checked);

  // Transactions until about `steps` things were compared, and the end of the database.
  void run(std::uint64_t steps);

 private:
  struct Snapshot {
    ReadTransaction txn;
    PieceContent content;
  };

  void open();
  Options any_options();
  std::optional<Durability> any_durability();
  void transaction();
  void one_operation();
  void puts_alone();
  void end(WriteTransaction& txn, ModelWriter& writer);
  void read_snapshots();
  void take_or_drop_snapshot();

  // Between transactions
  void care();
  void demand_all(const Database& db);
  void reopen();
  void look_at_copy_of_files();
  void back_up();
  void export_and_import();

  const ModelSetup setup_;
  base::Prng random_;
  std::uint64_t& checked_;
  os::testing::TemporaryDirectory directory_{os::testing::memory_directory()};
  const std::string path_ = directory_.path("model.vtr");
  std::optional<Database> db_;
  std::size_t key_size_max_ = 0;
  ModelHabits habits_;
  std::uint64_t transaction_steps_max_ = 0;
  std::vector<std::string> keys_;
  PieceContent content_;  // of the newest commit, and while a transaction runs what it made of it
  std::vector<std::unique_ptr<Snapshot>> snapshots_;
};

}  // namespace vitrine::testing
