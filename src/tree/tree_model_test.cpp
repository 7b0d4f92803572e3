// SPDX-License-Identifier: MIT OR Apache-2.0
// Random operations on a tree beside a std::map: every kind of change, savepoints, rollbacks, published versions that
// stay readable, all over the smallest cache there is, so that pages come and go all the time. After each batch every
// page is looked at, and the map of pages must be exactly what is reachable, plus what old versions hold.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/prng.hpp"
#include "os/testing.hpp"
#include "tree/testing.hpp"

namespace vitrine::tree {
namespace {

using testing::Rig;
using testing::RigOptions;

// A value is a piece of one long random text.
struct Piece {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
  bool operator==(const Piece&) const = default;
};

constexpr std::size_t kValueMax = 150'000;

const std::string& text() {
  static const std::string all = [] {
    base::Prng random(7);
    std::string bytes(4 * kValueMax, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.next());
    return bytes;
  }();
  return all;
}

Bytes bytes_of(const Piece& piece) { return Bytes(text()).substr(piece.offset, piece.size); }

enum class KeyStyle : std::uint8_t { Numbers, Ascending, LongPrefixes, AnyLength, FewBytes, Runs };

class KeyMaker {
 public:
  KeyMaker(KeyStyle style, std::uint32_t page_size, std::uint64_t universe, base::Prng& random)
      : style_(style), key_max_(tree_key_max(page_size)), universe_(universe), random_(random) {
    for (int i = 0; i < 4; ++i) {
      prefixes_.emplace_back(Bytes(text()).substr(random.below(1000), random.between(1, key_max_ - 9)));
    }
  }

  std::string make() {
    switch (style_) {
      case KeyStyle::Numbers:
        return number(random_.below(universe_) * 0x9e3779b97f4a7c15ull);
      case KeyStyle::Ascending:
        return number(random_.one_in(4) ? random_.below(next_ + 1) : next_++);
      case KeyStyle::LongPrefixes: {
        std::string key(prefixes_[random_.below(prefixes_.size())]);
        if (random_.one_in(50)) key.resize(random_.between(1, key.size()));  // breaks the prefix of its neighbours
        return key + number(random_.below(universe_)).substr(random_.below(7));
      }
      case KeyStyle::AnyLength: {
        const std::uint64_t at = random_.below(universe_);
        const std::size_t size = 1 + at * at % (at % 16 == 0 ? key_max_ : 40);
        return std::string(Bytes(text()).substr(at * 7, size));
      }
      case KeyStyle::Runs:  // among the keys of earlier runs, over the borders of leaves
        next_ = random_.one_in(40) ? random_.below(universe_) << 12 : next_ + random_.between(1, 2000);
        return number(next_);
      case KeyStyle::FewBytes:
        break;
    }
    std::string key(random_.between(1, random_.one_in(20) ? key_max_ : 9), '\0');
    for (char& byte : key) byte = "\0\x01\x7f\xff"[random_.below(4)];
    return key;
  }

 private:
  static std::string number(std::uint64_t value) {
    std::string key(8, '\0');
    for (int i = 7; i >= 0; --i, value >>= 8) key[static_cast<std::size_t>(i)] = static_cast<char>(value);
    return key;
  }

  KeyStyle style_;
  std::size_t key_max_;
  std::uint64_t universe_;
  base::Prng& random_;
  std::uint64_t next_ = 0;
  std::vector<std::string> prefixes_;
};

class Model {
 public:
  Model(std::uint32_t page_size, std::uint64_t seed)
      : random_(seed),
        rig_({page_size, 0, random_.between(2, 4)}),
        keys_(static_cast<KeyStyle>(random_.below(6)), page_size, random_.between(50, 200) << random_.below(9),
              random_),
        has_large_(random_.one_in(3)),
        has_ranges_(random_.one_in(2)),
        inline_max_(random_.one_in(3) ? cell_max(page_size) : 15u << random_.below(5)) {}

  std::uint64_t operations() const { return operations_; }

  void batch(std::uint64_t steps) {
    if (random_.one_in(8)) mood_ = random_.below(10);  // 0 to 5 grow, 6 to 7 even, 8 to 9 shrink
    for (std::uint64_t i = 0; i < steps && !::testing::Test::HasFailure(); ++i) step();
    if (random_.one_in(8)) return roll_back_all();
    publish();
  }

  void finish() {
    while (!snapshots_.empty()) drop_snapshot(0);
    EXPECT_EQ(rig_.space().held_count(), 0u);
    rig_.reopen_pool();
    check_content();
    erase_range({}, {});
    publish();
    EXPECT_EQ(rig_.space().allocated_count(), format::first_page(rig_.page_size()));
    EXPECT_EQ(rig_.space().held_count(), 0u);
  }

 private:
  using Content = std::map<std::string, Piece>;

  struct Undo {
    std::string key;
    std::optional<Piece> before;
  };
  struct Savepoint {
    Workspace::Mark mark;
    TreeRoot root;
    std::size_t undo_size;
  };
  struct Snapshot {
    Version version;
    TreeRoot root;
    Content content;
  };

  TreeWriter& tree() { return rig_.tree(); }
  Bytes begin_of(const std::string& key) { return key; }

  void step() {
    ++operations_;
    const std::uint64_t dice = random_.below(1000);
    if (dice >= 970) return rare(dice - 970);
    if (dice >= 900) return read();
    const std::uint64_t put_share = mood_ < 6 ? 800 : mood_ < 8 ? 450 : 200;
    if (dice < put_share) {
      put(random_.one_in(5) ? known_key() : keys_.make());
    } else {
      erase(random_.one_in(10) ? keys_.make() : known_key());
    }
  }

  void rare(std::uint64_t dice) {
    if (dice < 4) return has_ranges_ ? some_range() : read();
    if (dice < 8) return set_savepoint();
    if (dice < 12) return roll_back_to();
    if (dice < 15) return move_below();
    if (dice < 18) return merge_thin();
    if (dice < 20) return stream(true);
    if (dice < 22) return stream(false);
    if (dice < 24) return write_back();
    if (dice < 25 && !snapshots_.empty()) return visit_snapshot();
    read();
  }

  // --- Changes

  void remember(const std::string& key) {
    const auto at = content_.find(key);
    undo_.push_back({key, at == content_.end() ? std::nullopt : std::optional(at->second)});
  }

  std::string known_key() {
    if (content_.empty()) return keys_.make();
    const auto at = content_.lower_bound(keys_.make());
    return at == content_.end() ? content_.begin()->first : at->first;
  }

  Piece any_value() {
    std::uint64_t size = random_.below(inline_max_ + 1);
    if (random_.one_in(20)) size = random_.below(4);
    if (has_large_ && random_.one_in(40)) {
      size = random_.below(std::min<std::uint64_t>(kValueMax, (random_.one_in(6) ? 12u : 3u) * rig_.page_size()));
    }
    return {static_cast<std::uint32_t>(random_.below(text().size() - kValueMax)), static_cast<std::uint32_t>(size)};
  }

  void put(const std::string& key) {
    remember(key);
    const Piece piece = any_value();
    const Bytes value = bytes_of(piece);
    const std::size_t cut = random_.one_in(3) ? random_.below(value.size() + 1) : 0;
    expect_ok(tree().put(key, value.substr(0, cut), value.substr(cut)));
    content_[key] = piece;
  }

  // A value in pieces, handed over or abandoned.
  void stream(bool keep) {
    if (!has_large_) return;
    const std::string key = known_key();
    const Piece piece = any_value();
    Bytes rest = bytes_of(piece);
    LargeValueWriter writer(rig_.workspace());
    while (!rest.empty()) {
      const std::size_t take = random_.between(1, rest.size());
      expect_ok(writer.append(rest.substr(0, take)));
      rest.remove_prefix(take);
    }
    if (!keep) return;
    remember(key);
    const auto value = writer.finish();
    expect_ok(value.status());
    expect_ok(tree().put_large(key, *value));
    content_[key] = piece;
  }

  void erase(const std::string& key) {
    remember(key);
    const auto erased = tree().erase(key);
    expect_ok(erased.status());
    ASSERT_EQ(*erased, content_.erase(key) == 1);
  }

  void some_range() {
    std::string low = random_.one_in(20) ? std::string() : keys_.make();
    std::string high = keys_.make();
    if (!low.empty() && random_.one_in(2)) {  // usually a short range
      auto at = content_.lower_bound(low);
      for (std::uint64_t i = random_.below(200); i > 0 && at != content_.end(); --i) ++at;
      high = at == content_.end() ? keys_.make() : at->first;
    } else if (!random_.one_in(mood_ < 8 ? 40 : 5)) {
      return;
    }
    if (random_.one_in(mood_ < 8 ? 200 : 30)) high.clear();
    erase_range(low, high);
  }

  void erase_range(const std::string& low, const std::string& high) {
    const auto begin = content_.lower_bound(low);
    auto end = high.empty() ? content_.end() : content_.lower_bound(high);
    if (!high.empty() && high < low) end = begin;
    const auto erased = tree().erase_range(low, high);
    expect_ok(erased.status());
    ASSERT_EQ(*erased, static_cast<std::uint64_t>(std::distance(begin, end)));
    for (auto at = begin; at != end; ++at) undo_.push_back({at->first, at->second});
    content_.erase(begin, end);
  }

  void move_below() {
    const PageNo limit = random_.between(1, rig_.space().page_count() + 1);
    const std::string from = random_.one_in(2) ? std::string() : keys_.make();
    const auto step = tree().move_below(limit, from, random_.between(1, 60));
    expect_ok(step.status());
  }

  void merge_thin() {
    const auto step = tree().merge_thin(random_.one_in(2) ? std::string() : keys_.make(), random_.between(1, 60));
    expect_ok(step.status());
  }

  void write_back() {
    expect_ok(rig_.pool().write_back(published_, [](PageNo, Generation) { return true; }));
  }

  // --- Savepoints and ends

  void set_savepoint() {
    const auto mark = rig_.workspace().mark();
    expect_ok(mark.status());
    savepoints_.push_back({*mark, tree().root(), undo_.size()});
  }

  void undo_to(std::size_t size) {
    for (; undo_.size() > size; undo_.pop_back()) {
      if (undo_.back().before) {
        content_[undo_.back().key] = *undo_.back().before;
      } else {
        content_.erase(undo_.back().key);
      }
    }
  }

  void roll_back_to() {
    if (savepoints_.empty()) return;
    const std::size_t chosen = random_.below(savepoints_.size());
    const Savepoint& to = savepoints_[chosen];
    rig_.workspace().rollback_to(to.mark);
    tree().set_root(to.root);
    undo_to(to.undo_size);
    savepoints_.resize(chosen + 1);
    if (random_.one_in(10)) survey_working(std::nullopt);
  }

  void roll_back_all() {
    rig_.workspace().rollback();
    tree().set_root(published_root_);
    undo_to(0);
    savepoints_.clear();
    ASSERT_FALSE(rig_.workspace().has_changes());
    survey_working(pages_retired());
    check_content();
  }

  void publish() {
    published_ = rig_.workspace().working();
    published_root_ = tree().root();
    for (const RetiredPages& pages : rig_.workspace().publish()) {
      ASSERT_LE(pages.birth, pages.freed);
      ASSERT_LE(pages.freed, published_);
      retired_.push_back(pages);
    }
    undo_.clear();
    savepoints_.clear();
    ++batches_;
    if (random_.one_in(6) && snapshots_.size() < 4) snapshots_.push_back({published_, published_root_, content_});
    if (!snapshots_.empty() && random_.one_in(8)) drop_snapshot(random_.below(snapshots_.size()));
    release_unneeded();
    survey_working(pages_retired());
    if (random_.one_in(4)) check_content();
  }

  // --- Old versions

  bool is_needed(const RetiredPages& pages) const {
    return std::any_of(snapshots_.begin(), snapshots_.end(), [&](const Snapshot& snapshot) {
      return pages.birth <= snapshot.version && snapshot.version < pages.freed;
    });
  }

  void release_unneeded() {
    const auto is_gone = [&](const RetiredPages& pages) {
      if (is_needed(pages)) return false;
      rig_.release(pages);
      return true;
    };
    retired_.erase(std::remove_if(retired_.begin(), retired_.end(), is_gone), retired_.end());
  }

  std::uint64_t pages_retired() const {
    std::uint64_t sum = 0;
    for (const RetiredPages& pages : retired_) sum += pages.count;
    return sum;
  }

  void drop_snapshot(std::size_t index) {
    const Snapshot& snapshot = snapshots_[index];
    compare(snapshot.root, snapshot.content);
    snapshots_.erase(snapshots_.begin() + static_cast<std::ptrdiff_t>(index));
    if (snapshots_.empty()) release_unneeded();
  }

  void visit_snapshot() {
    const Snapshot& snapshot = snapshots_[random_.below(snapshots_.size())];
    walk(snapshot.root, snapshot.content);
  }

  // --- Checks

  void expect_ok(const Status& status) {
    ASSERT_TRUE(status.is_ok()) << status.to_string();
    ASSERT_TRUE(rig_.workspace().failure().is_ok());
  }

  // `held`: nothing while the transaction itself holds pages.
  void survey_working(std::optional<std::uint64_t> held) {
    const testing::Survey found = testing::survey(rig_.pool(), tree().root());
    ASSERT_EQ(found.entries, content_.size());
    testing::expect_map_is(rig_.space(), rig_.page_size(), found, held.value_or(rig_.space().held_count()));
  }

  void expect_value(Bytes stored, bool large, const Piece& piece) {
    if (!large) {
      ASSERT_TRUE(stored == bytes_of(piece));
      return;
    }
    expect_ok(read_value(rig_.pool(), stored, true, value_));
    ASSERT_TRUE(value_ == bytes_of(piece));
  }

  void expect_at(const TreeCursor& cursor, const Content& content, Content::const_iterator at) {
    ASSERT_EQ(cursor.is_valid(), at != content.end());
    if (!cursor.is_valid()) return;
    ASSERT_TRUE(cursor.key() == at->first);
    expect_value(cursor.value(), cursor.is_large(), at->second);
  }

  // One key looked up, and a few steps of a cursor from there.
  void read() {
    const std::string key = random_.one_in(2) ? known_key() : keys_.make();
    {
      const auto found = find(rig_.pool(), tree().root(), key);
      expect_ok(found.status());
      const auto at = content_.find(key);
      ASSERT_EQ(found->has_value(), at != content_.end());
      if (found->has_value()) expect_value(found->value, found->large, at->second);
    }
    find_together();
    walk(tree().root(), content_, key);
  }

  void find_together() {
    std::vector<std::string> keys(random_.below(kFindLanes + 1));
    for (std::string& key : keys) key = random_.one_in(2) ? known_key() : keys_.make();
    const std::vector<Bytes> views(keys.begin(), keys.end());
    std::array<Found, kFindLanes> found;
    expect_ok(find_many(rig_.pool(), tree().root(), views, found));
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto at = content_.find(keys[i]);
      ASSERT_EQ(found[i].has_value(), at != content_.end());
      if (found[i].has_value()) expect_value(found[i].value, found[i].large, at->second);
    }
  }

  void walk(const TreeRoot& root, const Content& content, std::string key = {}) {
    if (key.empty()) key = keys_.make();
    TreeCursor cursor(rig_.pool(), root);
    auto at = content.lower_bound(key);
    if (random_.one_in(2)) {
      expect_ok(cursor.seek(key));
    } else {
      expect_ok(cursor.seek_before(key));
      at = at == content.begin() ? content.end() : std::prev(at);
    }
    expect_at(cursor, content, at);
    for (std::uint64_t i = random_.below(12); i > 0 && cursor.is_valid() && !::testing::Test::HasFatalFailure(); --i) {
      if (random_.one_in(2)) {
        expect_ok(cursor.next());
        ++at;
      } else {
        expect_ok(cursor.prev());
        at = at == content.begin() ? content.end() : std::prev(at);
      }
      expect_at(cursor, content, at);
    }
  }

  void check_content() { compare(tree().root(), content_); }

  void compare(const TreeRoot& root, const Content& content) {
    TreeCursor cursor(rig_.pool(), root);
    const bool forwards = random_.one_in(2);
    expect_ok(forwards ? cursor.seek_first() : cursor.seek_last());
    std::size_t seen = 0;
    auto at = content.begin();
    auto back = content.end();
    for (; cursor.is_valid() && !::testing::Test::HasFatalFailure(); ++seen) {
      ASSERT_LT(seen, content.size());
      expect_at(cursor, content, forwards ? at++ : --back);
      expect_ok(forwards ? cursor.next() : cursor.prev());
    }
    ASSERT_EQ(seen, content.size());
  }

  base::Prng random_;
  Rig rig_;
  KeyMaker keys_;
  const bool has_large_;
  const bool has_ranges_;
  const std::size_t inline_max_;
  std::uint64_t mood_ = 0;
  std::uint64_t operations_ = 0;
  std::uint64_t batches_ = 0;
  Content content_;
  std::vector<Undo> undo_;
  std::vector<Savepoint> savepoints_;
  Version published_ = 0;
  TreeRoot published_root_;
  std::vector<RetiredPages> retired_;
  std::vector<Snapshot> snapshots_;
  std::string value_;
};

class TreeModel : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(TreeModel, agrees_with_an_ordered_map) {
  const std::uint64_t seed = os::testing::seed();
  const std::uint64_t most = GetParam() > 16384 ? 1'000'000 : 3'000'000;  // large pages are slow to copy and to check
  const std::uint64_t wanted = pool::testing::scaled(most / 200, most / 20, most, most / 1000);
  std::printf("VITRINE_SEED=%llu\n", static_cast<unsigned long long>(seed));
  base::Prng random(seed);
  std::uint64_t done = 0;
  for (int round = 0; done < wanted && !HasFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Model model(GetParam(), random.next());
    const std::uint64_t batches = random.between(1, 100);
    for (std::uint64_t i = 0; i < batches && !HasFailure(); ++i) {
      SCOPED_TRACE("batch " + std::to_string(i));
      model.batch(random.one_in(4) ? random.below(30) : random.below(1200));
    }
    if (!HasFailure()) model.finish();
    done += model.operations();
  }
  RecordProperty("operations", std::to_string(done));
}

INSTANTIATE_TEST_SUITE_P(PageSizes, TreeModel, ::testing::Values(4096u, 8192u, 65536u),
                         [](const auto& chosen) { return std::to_string(chosen.param); });

}  // namespace
}  // namespace vitrine::tree
