// SPDX-License-Identifier: MIT OR Apache-2.0
// Salvage: tree, orphaned leaves, log, in this order, into a sink that is either a new database or nothing.
//
// Orphans lie below an inner node that was lost. Their keys are taken only inside the ranges that the walk missed, from
// old to new, so that nothing that the tree still vouches for is replaced. With the map of free space the orphans are
// exactly the leaves in use that the walk did not reach; without it, pages that were replaced long ago verify as well,
// and what comes from them is called uncertain.
#include "vitrine/salvage.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "base/codec.hpp"
#include "base/defer.hpp"
#include "base/try.hpp"
#include "doc/documents_access.hpp"
#include "doc/mend.hpp"
#include "doc/store_documents.hpp"
#include "engine/draft_file.hpp"
#include "engine/engine.hpp"
#include "engine/write_session.hpp"
#include "inspect/map_reader.hpp"
#include "inspect/tree_walk.hpp"
#include "kv/keyspace.hpp"
#include "tree/cursor.hpp"
#include "vitrine/database.hpp"
#include "wal/scan.hpp"

namespace vitrine::inspect {
namespace {

constexpr std::size_t kLossesMax = 10'000;

// Where records go. Null session: nowhere.
class Sink {
 public:
  explicit Sink(engine::WriteSession* session) : session_(session) {}

  Status put(Bytes key, Bytes value) { return session_ == nullptr ? Status{} : session_->put(key, {}, value); }
  Status apply(const format::Operation& operation) {
    if (session_ == nullptr) return {};
    switch (operation.type) {
      case format::OperationType::Put:
        return session_->put(operation.key, {}, operation.value);
      case format::OperationType::Erase:
        return session_->erase(operation.key).status();
      case format::OperationType::EraseRange:
        return session_->erase_range(operation.key, operation.value).status();
    }
    return {};
  }
  void continue_from(std::uint64_t seq) {
    if (session_ != nullptr) session_->continue_from(seq);
  }

 private:
  engine::WriteSession* session_;
};

class Salvager {
 public:
  Salvager(SourceFile& source, Sink& sink, SalvageReport& report) : source_(source), sink_(sink), report_(report) {}

  Status run() {
    CHECK(source_.check_geometry());
    if (source_.header_status().is_ok()) {
      CHECK(take_tree());
    } else {
      note(0, source_.header_status(), "no header is whole; all pages are looked at, and the log cannot be placed");
      gaps_.push_back({});
    }
    if (!gaps_.empty()) CHECK(take_orphans());
    return source_.header_status().is_ok() ? take_log() : Status{};
  }

 private:
  struct Orphan {
    format::Generation generation;
    PageNo page = 0;
    bool is_certain = false;
    bool operator<(const Orphan& other) const noexcept { return generation.word < other.generation.word; }
  };

  void note(PageNo page, const Status& why, std::string_view message) {
    ++report_.losses_count;
    if (report_.losses.size() >= kLossesMax) return;
    report_.losses.push_back({page, std::string(why.name()), std::string(message)});
  }

  // False: the value is lost.
  Result<bool> take(Bytes key, Bytes cell, bool is_large, PageNo leaf) {
    if (!is_large) {
      CHECK(sink_.put(key, cell));
      return true;
    }
    const Result<std::string> value = source_.read_value(cell);
    if (value.has_value()) {
      CHECK(sink_.put(key, *value));
      return true;
    }
    if (value.status().kind() != ErrorKind::IntegrityFailure) return value.status();
    ++report_.values_lost;
    note(leaf, value.status(), "the large value of an entry of this leaf does not verify");
    return false;
  }

  Status take_tree() {
    Status failed;
    PageNo leaf = 0;
    const TreeVisitor visitor{[&](Bytes key, Bytes cell, bool is_large) {
                                const Result<bool> taken = take(key, cell, is_large, leaf);
                                failed = taken.status();
                                if (taken.has_value() && *taken) ++report_.records_in_place;
                                return failed.is_ok();
                              },
                              [&](const Gap& gap) {
                                note(gap.page, gap.why, "a page of the tree does not verify");
                                gaps_.push_back(gap);
                              },
                              [&](const PageRef& ref, const tree::NodeView&) {
                                leaf = ref.page();
                                reached_.insert(leaf);
                              }};
    CHECK(TreeWalk(source_, visitor).run());
    return failed;
  }

  Status take_orphans() {
    std::vector<Orphan> orphans;
    std::optional<MapReader> map;
    if (source_.header_status().is_ok()) map.emplace(source_);
    for (PageNo page = source_.first_page(); page < source_.page_count(); ++page) {
      if (reached_.count(page) != 0) continue;
      bool is_certain = false;
      if (map) {
        const std::optional<bool> in_use = map->is_allocated(page);
        if (in_use.has_value() && !*in_use) continue;
        is_certain = in_use.has_value();
      }
      const PageLook look = TRY(source_.look_at_start(page));
      if (!look.is_intact() || look.header().page != page || look.header().type != format::PageType::Leaf) continue;
      // A page that a parent named, and that is another content than it named, is not what the tree holds.
      const bool is_stale = std::any_of(gaps_.begin(), gaps_.end(), [&](const Gap& gap) {
        return gap.page == page && gap.why.code() != ErrorCode::PageChecksum;
      });
      if (is_stale || !tree::validate_page(look.image.data(), source_.page_size()).is_ok()) continue;
      orphans.push_back({look.header().generation, page, is_certain});
    }
    std::stable_sort(orphans.begin(), orphans.end());
    for (const Orphan& orphan : orphans) CHECK(take_leaf(orphan));
    return {};
  }

  bool is_missing(Bytes key) const {
    return std::any_of(gaps_.begin(), gaps_.end(),
                       [&](const Gap& gap) { return key >= gap.from && (gap.to.empty() || key < gap.to); });
  }

  Status take_leaf(const Orphan& orphan) {
    const PageLook look = TRY(source_.look_at_start(orphan.page));
    const tree::NodeView leaf(look.image.data(), source_.page_size());
    std::string key;
    for (unsigned i = 0; i < leaf.count(); ++i) {
      key.clear();
      leaf.key(i).append_to(key);
      if (!is_missing(key) || !TRY(take(key, leaf.value(i), leaf.is_large(i), orphan.page))) continue;
      ++report_.records_orphaned;
      if (!orphan.is_certain) ++report_.records_uncertain;
    }
    return {};
  }

  Status take_log() {
    const format::Meta& meta = source_.meta();
    sink_.continue_from(meta.commit_seq);
    if (source_.log() == nullptr) {
      if (!meta.is_clean()) note(0, Status::error(ErrorCode::LogMissing), "what the log held is lost");
      return {};
    }
    if (meta.is_clean()) return {};
    Status failed;  // of the sink: it ends the salvage; what the log says of itself does not
    const wal::ScanRequest request{meta.file, {meta.log_position, meta.log_chain}, false, source_.log_seal()};
    const Result<wal::ScanResult> scan =
        wal::scan_log(*source_.log(), request, [&](std::uint64_t seq, format::Lsn, Bytes payload) {
          failed = replay(payload);
          sink_.continue_from(seq);
          ++report_.log_transactions;
          return failed;
        });
    if (failed.kind() != ErrorKind::IntegrityFailure) CHECK(failed);
    if (!scan.has_value()) {
      if (scan.status().kind() != ErrorKind::IntegrityFailure && scan.status().code() != ErrorCode::NotDatabase) {
        return scan.status();
      }
      note(0, scan.status(), "the rest of the log cannot be used");
    } else if (scan->hole) {
      note(0, Status::error(ErrorCode::LogHole), "acknowledged commits behind the damage of the log are lost");
    }
    return {};
  }

  Status replay(Bytes payload) {
    format::OperationReader reader = TRY(format::OperationReader::open(payload));
    while (const std::optional<format::Operation> operation = TRY(reader.next())) CHECK(sink_.apply(*operation));
    return {};
  }

  SourceFile& source_;
  Sink& sink_;
  SalvageReport& report_;
  std::vector<Gap> gaps_;
  std::set<PageNo> reached_;
};

struct KeyspaceIds {
  std::set<std::uint64_t> used;
  std::set<std::uint64_t> named{kv::kCatalogId, kv::kDefaultId};
  std::uint64_t next = kv::kFirstFreeId;
  bool has_documents = false;  // their keyspace has its name
};

// The keyspaces that have entries, and those that have names, of the new file.
Result<KeyspaceIds> keyspace_ids(engine::Engine& engine) {
  const engine::State state = engine.pin_snapshot();
  const base::Defer unpin([&] { engine.unpin_snapshot(state); });
  KeyspaceIds ids;
  tree::TreeCursor cursor(engine.pool(), state.root);
  CHECK(cursor.seek_first());
  while (cursor.is_valid()) {
    Bytes key = cursor.key();
    const std::uint64_t id = base::take_varint(key).value_or(kv::kCatalogId);
    if (id != kv::kCatalogId) {
      ids.used.insert(id);
      CHECK(cursor.seek(kv::keyspace_end(Keyspace{static_cast<std::uint32_t>(id), false})));
      continue;
    }
    Bytes value = cursor.value();
    if (key == kv::kNextIdKey) {
      ids.next = std::max(ids.next, base::take_varint(value).value_or(0));
    } else if (kv::check_keyspace_name(key).is_ok()) {
      const Result<Keyspace> keyspace = kv::decode_catalog_entry(value);
      if (keyspace.has_value()) ids.named.insert(keyspace->id);
      ids.has_documents = ids.has_documents || key == doc::kKeyspace;
    }
    CHECK(cursor.next());
  }
  return ids;
}

// Whether a keyspace without a name holds documents: the first of its entries that would be one is one.
Result<bool> holds_documents(engine::Engine& engine, std::uint64_t id) {
  const engine::State state = engine.pin_snapshot();
  const base::Defer unpin([&] { engine.unpin_snapshot(state); });
  std::string prefix;
  kv::make_tree_key(Keyspace{static_cast<std::uint32_t>(id), false}, doc::kDocumentKeys, prefix);
  tree::TreeCursor cursor(engine.pool(), state.root);
  CHECK(cursor.seek(prefix));
  while (cursor.is_valid() && cursor.key().starts_with(prefix) && cursor.is_large()) CHECK(cursor.next());
  return cursor.is_valid() && cursor.key().starts_with(prefix) && doc::view_record(cursor.value()).has_value();
}

// Keyspaces whose catalog entry was lost get a name again, and no later keyspace gets the number of one that is there.
Status mend_catalog(engine::Engine& engine, SalvageReport& report) {
  KeyspaceIds ids = TRY(keyspace_ids(engine));
  std::uint64_t next = ids.next;
  for (const std::uint64_t id : ids.named) next = std::max(next, id + 1);
  for (const std::uint64_t id : ids.used) next = std::max(next, id + 1);
  std::map<std::string, std::string> records;
  std::string key;
  const auto add = [&](Bytes name, std::string value) {
    kv::make_tree_key(kv::kCatalog, name, key);
    records[key] = std::move(value);
  };
  for (const std::uint64_t id : ids.used) {
    if (ids.named.count(id) != 0) continue;
    const bool is_documents = !ids.has_documents && TRY(holds_documents(engine, id));
    const std::string name = is_documents ? std::string(doc::kKeyspace) : "recovered-" + std::to_string(id);
    ids.has_documents = ids.has_documents || is_documents;
    const Keyspace keyspace{static_cast<std::uint32_t>(id), false};
    add(name, kv::encode_catalog_entry(keyspace));
    add(kv::catalog_id_key(keyspace.id), name);
    ++report.losses_count;
    report.losses.push_back({0, "SALVAGE_KEYSPACE_NAME",
                             "the name of keyspace " + std::to_string(id) +
                                 " is lost; its records, with the versions "
                                 "before the values if it had versions, are in " +
                                 name});
  }
  if (next != ids.next) {
    std::string value;
    base::append_varint(value, next);
    add(kv::kNextIdKey, std::move(value));
  }
  if (records.empty()) return {};
  const std::unique_ptr<engine::WriteSession> session = TRY(engine.begin_write(std::nullopt));
  for (const auto& [tree_key, value] : records) CHECK(session->put(tree_key, {}, value));
  return session->commit(Durability::None).status;
}

void add_loss(SalvageReport& report, std::string_view code, std::string message) {
  ++report.losses_count;
  report.losses.push_back({0, std::string(code), std::move(message)});
}

// Indexes and what else follows from documents would tell of documents that are lost.
Status mend_documents(Database& db, SalvageReport& report) {
  if (!TRY(db.begin_read()).keyspace(doc::kKeyspace).has_value()) return {};
  return db.write([&](WriteTransaction& txn) -> Status {
    kv::NativeWriter store = TRY(kv::NativeWriter::attach(txn, doc::kKeyspace));
    return doc::mend(store,
                     [&](std::string_view code, std::string message) { add_loss(report, code, std::move(message)); });
  });
}

Status write_new(SourceFile& source, os::Env& env, const std::string& name, const Options& options,
                 SalvageReport& report) {
  CHECK(engine::Engine::create(env, name, options));
  const std::shared_ptr<engine::Engine> target = TRY(engine::Engine::open(env, name, options));
  {
    const std::unique_ptr<engine::WriteSession> session = TRY(target->begin_write(std::nullopt));
    Sink sink(session.get());
    CHECK(Salvager(source, sink, report).run());
    CHECK(session->commit(Durability::None).status);
  }
  CHECK(mend_catalog(*target, report));
  CHECK(target->close());
  Database db = TRY(Database::open(name, OpenMode::MustExist, options));
  if (!report.is_complete()) CHECK(mend_documents(db, report));
  const VerifyReport check = TRY(db.verify(VerifyLevel::Full));
  if (!check.is_clean()) return Status::error(ErrorCode::InternalBug, "the salvaged file does not verify");
  report.entries = check.entries;
  return db.close();
}

}  // namespace
}  // namespace vitrine::inspect

namespace vitrine {

Result<SalvageReport> salvage_dry_run(const std::string& damaged, const Options& options) {
  try {
    inspect::SourceFile source = TRY(inspect::SourceFile::open(damaged, options));
    inspect::Sink nowhere(nullptr);
    SalvageReport report;
    CHECK(inspect::Salvager(source, nowhere, report).run());
    return report;
  } catch (const std::bad_alloc&) {
    return Status::out_of_memory();
  }
}

Result<SalvageReport> salvage(const std::string& damaged, const std::string& path, const Options& options) {
  try {
    os::Env& env = inspect::env_of(options);
    inspect::SourceFile source = TRY(inspect::SourceFile::open(damaged, options));
    CHECK(source.check_geometry());
    engine::DraftFile draft = TRY(engine::DraftFile::of(env, path));
    Options writing = options;
    writing.access = Access::ReadWrite;
    writing.page_size = source.page_size();
    SalvageReport report;
    CHECK(inspect::write_new(source, env, draft.name(), writing, report));
    CHECK(draft.publish());
    return report;
  } catch (const std::bad_alloc&) {
    return Status::out_of_memory();
  }
}

}  // namespace vitrine
