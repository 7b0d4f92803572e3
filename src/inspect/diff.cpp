// SPDX-License-Identifier: MIT OR Apache-2.0
#include "vitrine/diff.hpp"

#include <algorithm>
#include <map>

#include "base/codec.hpp"
#include "base/try.hpp"
#include "inspect/map_reader.hpp"
#include "inspect/tree_stream.hpp"
#include "inspect/views.hpp"
#include "kv/keyspace.hpp"
#include "vitrine/explain.hpp"

namespace vitrine::inspect {
namespace {

constexpr std::uint64_t kValueCompared = 4096;

using Catalog = std::map<std::uint64_t, KeyspaceInfo>;

// One side of the comparison.
struct Side {
  SourceFile& source;
  const format::Meta& meta;
  std::unique_ptr<Moment> moment;
  std::string_view of;  // "database", with the log, or "checkpoint"
};

Side present_side(SourceFile& source, const Options& options) {
  Options reading = options;
  if (!source.is_encrypted()) reading.secret = {};
  Result<std::unique_ptr<Moment>> present = present_moment(source.path(), reading);
  if (present.has_value()) return {source, source.meta(), *std::move(present), "database"};
  return {source, source.meta(), checkpoint_moment(source, source.meta()), "checkpoint"};
}

Status check_unlocked(const Side& before, const Side& after) {
  CHECK(before.source.check_unlocked());
  return after.source.check_unlocked();
}

// Names and kinds of keyspaces; they stand before all other entries.
Result<Catalog> catalog_of(Moment& moment) {
  Catalog catalog;
  catalog[kv::kDefaultId] = {std::string(kv::kDefaultName), Keyspace{}};
  TreeStream stream(moment);
  while (stream.at() != TreeStream::At::End) {
    if (stream.at() == TreeStream::At::Subtree) {
      CHECK(stream.open());
      continue;
    }
    Bytes key = stream.low();
    if (base::take_varint(key) != kv::kCatalogId) break;
    const Result<Keyspace> keyspace = kv::decode_catalog_entry(stream.cell());
    if (kv::check_keyspace_name(key).is_ok() && keyspace.has_value()) {
      catalog[keyspace->id] = {std::string(key), *keyspace};
    }
    stream.skip();
  }
  return catalog;
}

class InlineValue : public ValueReader {
 public:
  explicit InlineValue(Bytes cell) noexcept : cell_(cell) {}
  std::uint64_t size() const noexcept override { return cell_.size(); }
  Result<Bytes> at(std::uint64_t offset) override { return cell_.substr(offset); }

 private:
  const Bytes cell_;
};

class KeyDiff {
 public:
  KeyDiff(Side& before, Side& after, Disclosure disclosure, const RowFunction& row)
      : before_side_(before),
        after_side_(after),
        is_one_file_(before.source.file_id() == after.source.file_id()),
        disclosure_(disclosure),
        row_(row),
        before_(*before.moment),
        after_(*after.moment) {}

  // False when no more rows are wanted.
  Result<bool> run() {
    before_catalog_ = TRY(catalog_of(*before_side_.moment));
    after_catalog_ = TRY(catalog_of(*after_side_.moment));
    while (is_wanted_ && !(is_end(before_) && is_end(after_))) CHECK(step());
    return is_wanted_;
  }

  void add_counts(Value& to) const {
    to.add("keys_added", added_).add("keys_removed", removed_).add("keys_changed", changed_);
    to.add("keys_unknown", unknown_).add("subtrees_shared", shared_);
    to.add("nodes_read", before_.nodes_read() + after_.nodes_read());
    to.add("gaps_before", before_.gaps()).add("gaps_after", after_.gaps());
  }

 private:
  using At = TreeStream::At;
  static bool is_end(const TreeStream& stream) noexcept { return stream.at() == At::End; }
  static bool is_subtree(const TreeStream& stream) noexcept { return stream.at() == At::Subtree; }

  // Opens what may hold smaller keys first, so that equal subtrees meet at their common lower bound.
  Status step() {
    if (is_subtree(before_) && is_subtree(after_)) {
      if (is_one_file_ && before_.ref().same(after_.ref())) {
        ++shared_;
        before_.skip();
        after_.skip();
        return {};
      }
      if (before_.low() != after_.low()) return (before_.low() < after_.low() ? before_ : after_).open();
      return (before_.level() >= after_.level() ? before_ : after_).open();
    }
    if (is_subtree(before_) && (is_end(after_) || before_.low() <= after_.low())) return before_.open();
    if (is_subtree(after_) && (is_end(before_) || after_.low() <= before_.low())) return after_.open();
    // Now the smaller one is an entry, or both are.
    const int order = is_end(after_) ? -1 : is_end(before_) ? 1 : before_.low().compare(after_.low());
    if (order < 0) return take_one(before_, after_, "removed", removed_);
    if (order > 0) return take_one(after_, before_, "added", added_);
    return take_both();
  }

  Status take_one(TreeStream& from, TreeStream& other, std::string_view change, std::uint64_t& count) {
    const bool is_unknown = other.is_unknown(from.low());
    ++(is_unknown ? unknown_ : count);
    Value row = row_of(from.low(), is_unknown ? "unknown" : change);
    const bool is_before = &from == &before_;
    CHECK(add_entry(row, before_, before_side_, before_catalog_, is_before, "before"));
    CHECK(add_entry(row, after_, after_side_, after_catalog_, !is_before, "after"));
    from.skip();
    is_wanted_ = row_(row);
    return {};
  }

  Status take_both() {
    const Result<bool> is_same = same_cells();
    if (!is_same.has_value() && is_same.status().kind() != ErrorKind::IntegrityFailure) return is_same.status();
    if (!is_same.has_value() || !*is_same) {
      ++(is_same.has_value() ? changed_ : unknown_);
      Value row = row_of(before_.low(), is_same.has_value() ? "changed" : "unknown");
      CHECK(add_entry(row, before_, before_side_, before_catalog_, true, "before"));
      CHECK(add_entry(row, after_, after_side_, after_catalog_, true, "after"));
      is_wanted_ = row_(row);
    }
    before_.skip();
    after_.skip();
    return {};
  }

  // Which values are large depends on the page size, so an inline one may meet a large one.
  Result<bool> same_cells() {
    if (!before_.is_large() && !after_.is_large()) return before_.cell() == after_.cell();
    if (is_one_file_ && before_.is_large() && after_.is_large() && before_.cell() == after_.cell()) return true;
    const std::unique_ptr<ValueReader> before = TRY(reader_of(before_, before_side_));
    const std::unique_ptr<ValueReader> after = TRY(reader_of(after_, after_side_));
    if (before->size() != after->size()) return false;
    Bytes left, right;
    for (std::uint64_t at = 0; at < before->size();) {
      if (left.empty()) left = TRY(before->at(at));
      if (right.empty()) right = TRY(after->at(at));
      const std::size_t both = std::min(left.size(), right.size());
      if (left.substr(0, both) != right.substr(0, both)) return false;
      left.remove_prefix(both);
      right.remove_prefix(both);
      at += both;
    }
    return true;
  }

  static Result<std::unique_ptr<ValueReader>> reader_of(const TreeStream& stream, Side& side) {
    if (stream.is_large()) return side.moment->value(stream.cell());
    return std::unique_ptr<ValueReader>(std::make_unique<InlineValue>(stream.cell()));
  }

  Value row_of(Bytes tree_key, std::string_view change) const {
    Value row = Value::object().add("kind", "key").add("change", change);
    add_tree_key(row, tree_key, disclosure_);
    const std::uint64_t id = base::take_varint(tree_key).value_or(kv::kCatalogId);
    const auto found = after_catalog_.find(id), older = before_catalog_.find(id);
    const bool is_named = found != after_catalog_.end() || older != before_catalog_.end();
    const bool is_shown = is_named && disclosure_ != Disclosure::Structure;
    row.add("keyspace_name",
            !is_shown ? Value() : bytes_value((found != after_catalog_.end() ? found : older)->second.name));
    return row;
  }

  // Size, version and, if it may be shown, value of one side; null when the entry is not there.
  Status add_entry(Value& row, const TreeStream& stream, Side& side, const Catalog& catalog, bool is_there,
                   std::string_view name) const {
    if (!is_there) {
      row.add(name, Value());
      return {};
    }
    Bytes key = stream.low();
    const auto found = catalog.find(base::take_varint(key).value_or(kv::kCatalogId));
    const Keyspace keyspace = found == catalog.end() ? Keyspace{kv::kCatalogId, false} : found->second.keyspace;
    Value entry = Value::object();
    Result<std::string> record = head_of(stream, side);
    std::uint64_t size = stream.cell().size();
    if (stream.is_large()) {
      const Result<tree::LargeValue> large = tree::decode_large_value(stream.cell());
      size = large.has_value() ? large->size : 0;
    }
    if (!record.has_value() && record.status().kind() != ErrorKind::IntegrityFailure) return record.status();
    entry.add("record_size", size).add("error", error_name_value(record.status()));
    const Result<kv::Record> parts = record.has_value() ? kv::split_record(keyspace, *record) : record.status();
    entry.add("version", parts.has_value() && keyspace.versions ? Value(parts->version) : Value());
    if (disclosure_ == Disclosure::Values) {
      entry.add("value", parts.has_value() ? bytes_value(parts->value.substr(0, kValueCompared)) : Value());
    }
    row.add(name, std::move(entry));
    return {};
  }

  // The first bytes of the record.
  static Result<std::string> head_of(const TreeStream& stream, Side& side) {
    const std::unique_ptr<ValueReader> value = TRY(reader_of(stream, side));
    return value->size() == 0 ? std::string() : std::string(TRY(value->at(0)).substr(0, kValueCompared + 10));
  }

  Side& before_side_;
  Side& after_side_;
  const bool is_one_file_;
  const Disclosure disclosure_;
  const RowFunction& row_;
  TreeStream before_, after_;
  Catalog before_catalog_, after_catalog_;
  bool is_wanted_ = true;
  std::uint64_t added_ = 0, removed_ = 0, changed_ = 0, unknown_ = 0, shared_ = 0;
};

// Pages of the last checkpoints by their place, in runs. Only pages that a side needs are compared.
class PageDiff {
 public:
  PageDiff(Side& before, Side& after, const RowFunction& row)
      : before_(before),
        after_(after),
        is_one_source_(&before.source == &after.source),
        is_sealed_(!check_unlocked(before, after).is_ok()),
        row_(row),
        before_map_(before.source, before.meta),
        after_map_(after.source, after.meta) {}

  Result<bool> run() {
    if (before_.source.page_size() != after_.source.page_size()) {
      is_comparable_ = false;
      return true;
    }
    const PageNo end = std::max(before_.meta.page_count, after_.meta.page_count);
    for (PageNo page = before_.source.first_page(); page < end && is_wanted_; ++page) {
      const Change change = TRY(change_of(page));
      if (change == change_) {
        ++pages_;
        continue;
      }
      flush();
      change_ = change;
      first_ = page;
      pages_ = 1;
    }
    flush();
    return is_wanted_;
  }

  void add_counts(Value& to) const {
    to.add("pages_comparable", is_comparable_);
    to.add("pages_changed", counts_[index(Change::Changed)]).add("pages_same", counts_[index(Change::Same)]);
    to.add("pages_only_before", counts_[index(Change::OnlyBefore)]);
    to.add("pages_only_after", counts_[index(Change::OnlyAfter)]);
    to.add("pages_unknown", counts_[index(Change::Unknown)]);
  }

 private:
  enum class Change : std::uint8_t { Free, Same, Changed, OnlyBefore, OnlyAfter, Unknown };
  static std::size_t index(Change change) noexcept { return static_cast<std::size_t>(change); }

  Result<Change> change_of(PageNo page) {
    if (is_sealed_) return sealed_change_of(page);
    const std::optional<bool> before = use(before_map_, before_.meta, page), after = use(after_map_, after_.meta, page);
    if (!before || !after) return Change::Unknown;
    if (!*before && !*after) return Change::Free;
    if (*before != *after) return *before ? Change::OnlyBefore : Change::OnlyAfter;
    // A page that two checkpoints in a row need was not written between them.
    if (is_one_source_) return Change::Same;
    return TRY(is_same(page)) ? Change::Same : Change::Changed;
  }

  // Without the key the maps cannot be read, so free pages are compared like all others.
  Result<Change> sealed_change_of(PageNo page) {
    if (page >= before_.meta.page_count) return Change::OnlyAfter;
    if (page >= after_.meta.page_count) return Change::OnlyBefore;
    return TRY(is_same(page)) ? Change::Same : Change::Changed;
  }

  static std::optional<bool> use(MapReader& map, const format::Meta& meta, PageNo page) {
    return page < meta.page_count ? map.is_allocated(page) : std::optional(false);
  }

  Result<bool> is_same(PageNo page) {
    const std::uint32_t size = before_.source.page_size();
    left_.resize(size);
    right_.resize(size);
    const std::size_t left = TRY(before_.source.file().read_at(page * size, left_.data(), size));
    const std::size_t right = TRY(after_.source.file().read_at(page * size, right_.data(), size));
    return left == right &&
           std::equal(left_.begin(), left_.begin() + static_cast<std::ptrdiff_t>(left), right_.begin());
  }

  void flush() {
    static constexpr std::string_view kNames[] = {"", "", "changed", "only_before", "only_after", "unknown"};
    counts_[index(change_)] += pages_;
    if (pages_ > 0 && change_ != Change::Free && change_ != Change::Same && is_wanted_) {
      is_wanted_ = row_(Value::object()
                            .add("kind", "pages")
                            .add("change", kNames[index(change_)])
                            .add("first", first_)
                            .add("pages", pages_));
    }
    pages_ = 0;
  }

  Side& before_;
  Side& after_;
  const bool is_one_source_;
  const bool is_sealed_;
  const RowFunction& row_;
  MapReader before_map_, after_map_;
  std::vector<std::byte> left_, right_;
  Change change_ = Change::Free;
  PageNo first_ = 0;
  std::uint64_t pages_ = 0;
  std::uint64_t counts_[6] = {};
  bool is_wanted_ = true, is_comparable_ = true;
};

Value side_value(const Side& side) {
  return Value::object()
      .add("of", side.of)
      .add("checkpoint", side.meta.checkpoint)
      .add("commit_seq", side.meta.commit_seq)
      .add("file_id", format::hex_of(side.meta.file))
      .add("page_size", side.meta.page_size)
      .add("page_count", side.meta.page_count);
}

Result<Value> compare(Side& before, Side& after, const DiffRequest& request, const RowFunction& row) {
  // Only places in two files can be compared without the key.
  const Status unlocked = check_unlocked(before, after);
  const bool is_unlocked = unlocked.is_ok();
  if (!is_unlocked && (!request.pages || &before.source == &after.source)) return unlocked;
  bool is_wanted = true;
  Value summary = Value::object().add("kind", "summary");
  summary.add("before", side_value(before)).add("after", side_value(after));
  if (request.pages) {
    PageDiff pages(before, after, row);
    is_wanted = TRY(pages.run());
    pages.add_counts(summary);
  }
  if (request.keys) summary.add("keys_comparable", is_unlocked);
  if (request.keys && is_unlocked && is_wanted) {
    const bool is_encrypted = before.source.is_encrypted() || after.source.is_encrypted();
    KeyDiff keys(before, after, resolved_disclosure(request.disclosure, is_encrypted), row);
    is_wanted = TRY(keys.run());
    keys.add_counts(summary);
  }
  return std::move(summary).add("complete", is_wanted);
}

template <typename Work>
Result<Value> without_exceptions(Work&& work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return Status::out_of_memory();
  }
}

// One secret is for both files, or for the one of them that is encrypted.
Result<SourceFile> open_source(const std::string& path, const Options& options) {
  Result<SourceFile> source = SourceFile::open(path, options, SourceFile::WithoutKey::Allowed);
  if (source.status().code() == ErrorCode::NotEncrypted) {
    Options plain = options;
    plain.secret = {};
    source = SourceFile::open(path, plain);
  }
  if (source.has_value()) CHECK(source->header_status());
  return source;
}

}  // namespace

Result<Value> diff(const std::string& before, const std::string& after, const DiffRequest& request,
                   const RowFunction& row, const Options& options) {
  return without_exceptions([&]() -> Result<Value> {
    SourceFile old_source = TRY(open_source(before, options));
    SourceFile new_source = TRY(open_source(after, options));
    if (options.secret && !old_source.is_encrypted() && !new_source.is_encrypted()) {
      return Status::error(ErrorCode::NotEncrypted).with("path", after);
    }
    Side old_side = present_side(old_source, options);
    Side new_side = present_side(new_source, options);
    return compare(old_side, new_side, request, row);
  });
}

Result<Value> diff_checkpoints(const std::string& path, const DiffRequest& request, const RowFunction& row,
                               const Options& options) {
  return without_exceptions([&]() -> Result<Value> {
    SourceFile source = TRY(SourceFile::open(path, options));
    CHECK(source.header_status());
    const std::optional<format::Meta> older = source.older_meta();
    if (!older) {
      return Status::error(ErrorCode::ArgumentInvalid, "the file holds no older checkpoint").with("path", path);
    }
    Side before{source, *older, checkpoint_moment(source, *older), "checkpoint"};
    Side after{source, source.meta(), checkpoint_moment(source, source.meta()), "checkpoint"};
    return compare(before, after, request, row);
  });
}

}  // namespace vitrine::inspect
