// SPDX-License-Identifier: MIT OR Apache-2.0
// Random steps of one write transaction, done to the database and to the model: every kind of change, savepoints,
// streams, a cursor that stays open meanwhile, and reads of the transaction's own writes.
//
// The model is changed at once; undo() takes the changes back when the transaction ends without a commit.
// Thread safety: none.
#pragma once

#include <functional>

#include "tests/model_reader.hpp"

namespace vitrine::testing {

struct ModelHabits {
  std::uint64_t value_size_max = 100;  // of most values
  std::uint64_t large_one_in = 0;      // values up to kPieceSizeMax; 0: none
  std::uint64_t put_share = 60;        // of the changes, per cent; the others erase
};

class ModelWriter {
 public:
  ModelWriter(WriteTransaction& txn, PieceContent& content, const std::vector<std::string>& keys,
              const ModelHabits& habits, std::size_t key_size_max, base::Prng& random, std::uint64_t& checked)
      : txn_(txn),
        content_(content),
        keys_(keys),
        habits_(habits),
        key_size_max_(key_size_max),
        random_(random),
        checked_(checked),
        reader_(txn, content, keys, random, checked) {}

  void step();
  bool has_changed() const { return !undo_.empty(); }
  void undo() { undo_to(0); }

 private:
  struct Mark {
    Savepoint savepoint;
    std::size_t undo_size;
    std::uint64_t keyspace_changes;
  };
  struct Stream {
    ValueWriter writer;
    std::string name;
    std::string key;
    Piece value;
    std::uint32_t written;
  };
  struct Place {  // where a step happens
    const std::string& name;
    PieceKeyspace& in;
    const std::string& key;
    bool exists() const { return in.entries.contains(key); }
  };

  void change();
  void rare();
  Place any_place(bool known);
  Piece any_value();
  std::uint64_t new_version(const PieceKeyspace& keyspace) const;
  void set(const Place& place, const Piece& value);
  void forget(const Place& place);
  void note_undo(const Place& place);
  void undo_to(std::size_t size);

  void put();
  void erase();
  void put_if_absent();
  void compare_and_set();
  void erase_range();
  void refused();
  void stream();
  void set_savepoint();
  void roll_back_to();
  void create_or_drop();
  void drop(const std::string& name);
  void move_cursor();

  WriteTransaction& txn_;
  PieceContent& content_;
  const std::vector<std::string>& keys_;
  const ModelHabits& habits_;
  const std::size_t key_size_max_;
  base::Prng& random_;
  std::uint64_t& checked_;
  ModelReader reader_;
  std::vector<std::function<void()>> undo_;
  std::vector<Mark> marks_;
  std::uint64_t keyspace_changes_ = 0;
  std::optional<Stream> stream_;
  std::optional<CheckedCursor> cursor_;
};

}  // namespace vitrine::testing
