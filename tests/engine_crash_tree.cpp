// SPDX-License-Identifier: MIT OR Apache-2.0
// Workloads of pages: splits and merges, large values, checkpoints, growth of the file, snapshots that hold pages.
#include "base/prng.hpp"
#include "base/try.hpp"
#include "tests/engine_crash_workloads.hpp"

namespace vitrine::testing {
namespace {

std::string ordered_key(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  return "entry " + std::string(4 - digits.size(), '0') + digits;
}

// Grows the tree by a level, empties it again, in an order of its own each time.
Status splits_and_merges(Stage& stage, std::uint64_t rounds) {
  base::Prng random(test_seed());
  CHECK(stage.open());
  for (std::uint64_t i = 0; i < 4 * rounds; ++i) {
    const bool grows = i % 4 < 2;
    const std::uint64_t start = random.below(40), step = random.one_in(2) ? 7 : 1;
    const auto change = [&](Editor& editor) -> Status {
      for (std::uint64_t k = 0; k < 16; ++k) {
        const std::string key = ordered_key((start + k * step) % 40);
        CHECK(grows ? editor.put(key, random_bytes(i + k, random.between(200, 900))) : editor.erase(key));
      }
      return {};
    };
    CHECK(stage.commit(change));
    if (i % 2 == 1) CHECK(stage.db().checkpoint());
  }
  return {};
}

// Whole ranges go, with subtrees that nobody reads on the way.
Status range_erases(Stage& stage, std::uint64_t rounds) {
  CHECK(stage.open());
  for (std::uint64_t i = 0; i < 2 * rounds; ++i) {
    const auto change = [&](Editor& editor) -> Status {
      for (std::uint64_t k = 0; k < 60; ++k) CHECK(editor.put(ordered_key(k), random_bytes(i + k, 400)));
      return editor.put(ordered_key(30) + " large", random_bytes(i, 9000));
    };
    CHECK(stage.commit(change));
    if (i % 2 == 0) CHECK(stage.db().checkpoint());
    CHECK(stage.commit([&](Editor& editor) { return editor.erase_range(ordered_key(3 + i % 9), ordered_key(55)); }));
    CHECK(stage.db().checkpoint());
  }
  return {};
}

// Values in extents, replaced by longer, shorter and inline ones.
Status large_values(Stage& stage, std::uint64_t rounds) {
  constexpr std::size_t kSizes[] = {5'000, 30'000, 90, 12'000, 4'100, 1'200};
  CHECK(stage.open());
  for (std::uint64_t i = 0; i < 6 * rounds; ++i) {
    const auto change = [&](Editor& editor) -> Status {
      CHECK(editor.put(ordered_key(i % 4), random_bytes(i, kSizes[i % std::size(kSizes)])));
      return i % 5 == 4 ? editor.erase(ordered_key((i + 3) % 4)) : Status{};
    };
    CHECK(stage.commit(change));
    if (i % 3 == 2) CHECK(stage.db().checkpoint());
  }
  return {};
}

Status many_checkpoints(Stage& stage, std::uint64_t rounds) {
  CHECK(stage.open());
  for (std::uint64_t i = 0; i < 4 * rounds; ++i) {
    CHECK(stage.put(ordered_key(i % 30), random_bytes(i, 300)));
    CHECK(stage.db().checkpoint());
  }
  return {};
}

// Nothing is replaced: every commit needs new pages at the end of the file.
Status file_grows(Stage& stage, std::uint64_t rounds) {
  CHECK(stage.open());
  for (std::uint64_t i = 0; i < 3 * rounds; ++i) {
    CHECK(stage.commit([&](Editor& editor) { return editor.put(ordered_key(i % 8), random_bytes(i, 60'000)); }));
    if (i % 8 == 7) {
      CHECK(stage.commit([&](Editor& editor) { return editor.erase_range(ordered_key(0), ordered_key(6)); }));
    }
    if (i % 2 == 1) CHECK(stage.db().checkpoint());
  }
  return {};
}

// Too long for the log: the commit is a checkpoint. A small one before it waits in the log, another follows.
Status large_transactions(Stage& stage, std::uint64_t rounds) {
  CHECK(stage.open());
  for (std::uint64_t i = 0; i < rounds; ++i) {
    CHECK(stage.put("before", random_bytes(i, 700)));
    const auto change = [&](Editor& editor) -> Status {
      for (std::uint64_t k = 0; k < 5; ++k) CHECK(editor.put(ordered_key(k), random_bytes(i * 5 + k, 60'000)));
      return editor.erase_range("entry 0003", "entry 0009");
    };
    CHECK(stage.commit(change));
    CHECK(stage.put("after", random_bytes(i, 700)));
  }
  return {};
}

// More dirty pages than the cache has frames: pages reach the file long before the commit, or before the rollback.
Status transactions_larger_than_the_cache(Stage& stage, std::uint64_t rounds) {
  CHECK(stage.open());
  for (std::uint64_t i = 0; i < rounds; ++i) {
    const auto much = [&](Editor& editor) -> Status {
      for (std::uint64_t k = 0; k < 900; ++k) CHECK(editor.put(ordered_key(k * 7 % 900), random_bytes(i + k, 900)));
      return editor.erase_range(ordered_key(5), ordered_key(899));
    };
    CHECK(i % 2 == 0 ? stage.commit(much) : stage.roll_back(much));
    CHECK(stage.put("small", random_bytes(i, 200)));
  }
  return {};
}

// A snapshot keeps pages that checkpoints have overtaken; when it goes they are used again.
Status snapshots_hold_pages(Stage& stage, std::uint64_t rounds) {
  CHECK(stage.open());
  for (std::uint64_t i = 0; i < rounds; ++i) {
    const ReadTransaction snapshot = TRY(stage.db().begin_read());
    const std::uint64_t seen = TRY(hash_of(static_cast<const Transaction&>(snapshot)));
    for (std::uint64_t k = 0; k < 5; ++k) {
      CHECK(stage.put(ordered_key((i + k) % 9), random_bytes(i + k, 1000)));
      if (k % 2 == 1) CHECK(stage.db().checkpoint());
    }
    if (TRY(hash_of(static_cast<const Transaction&>(snapshot))) != seen) return test_failure("a snapshot has changed");
  }
  return {};
}

}  // namespace

std::vector<CrashWorkload> tree_workloads(std::uint64_t rounds) {
  const auto workload = [&](const char* name, Status (*run)(Stage&, std::uint64_t), std::uint64_t quarters) {
    CrashWorkload made;
    made.name = name;
    made.prepare = [](Stage& stage) { return stage.put("first", "value"); };
    made.run = [=](Stage& stage) { return run(stage, share(rounds, quarters)); };
    return made;
  };
  std::vector<CrashWorkload> all = {
      workload("splits_and_merges", splits_and_merges, 4),
      workload("range_erases", range_erases, 2),
      workload("large_values", large_values, 2),
      workload("many_checkpoints", many_checkpoints, 3),
      workload("file_grows", file_grows, 1),
      workload("large_transactions", large_transactions, 1),
      workload("transactions_larger_than_the_cache", transactions_larger_than_the_cache, 1),
      workload("snapshots_hold_pages", snapshots_hold_pages, 3),
      workload("pages_of_8_kib", splits_and_merges, 3),
  };
  all.back().options.page_size = 8192;
  return all;
}

}  // namespace vitrine::testing
