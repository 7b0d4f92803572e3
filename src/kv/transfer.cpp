// SPDX-License-Identifier: MIT OR Apache-2.0
// Backup, export and import. Export and import see the database as a user does; only the backup copies trees.
#include <algorithm>
#include <functional>

#include "base/codec.hpp"
#include "base/try.hpp"
#include "engine/draft_file.hpp"
#include "kv/database_impl.hpp"
#include "kv/export_envelope.hpp"
#include "kv/export_format.hpp"
#include "kv/keyspace.hpp"
#include "kv/safely.hpp"
#include "vitrine/database.hpp"

namespace vitrine {
namespace {

constexpr std::size_t kBatchBytes = 64u << 10;
constexpr std::uint64_t kEntriesPerTick = 1024;

// --- Export ----------------------------------------------------------------------------------------------------------

class Exporter {
 public:
  Exporter(const ReadTransaction& txn, kv::ExportSink& sink, const ProgressFunction& progress)
      : txn_(txn), writer_(sink), progress_(progress) {}

  Result<TransferReport> run(std::uint64_t wall_ms) {
    report_.snapshot_seq = txn_.snapshot_seq();
    CHECK(writer_.begin({report_.snapshot_seq, wall_ms}));
    for (const KeyspaceInfo& info : TRY(txn_.keyspaces())) CHECK(keyspace(info));
    std::string end;
    base::append_varint(end, report_.keyspaces);
    base::append_varint(end, report_.entries);
    base::append_varint(end, report_.bytes);
    CHECK(writer_.block(kv::ExportBlock::End, end));
    CHECK(writer_.finish());
    return report_;
  }

 private:
  Status keyspace(const KeyspaceInfo& info) {
    std::string payload;
    base::append_varint(payload, info.keyspace.versions ? 1 : 0);
    payload.append(info.name);
    CHECK(writer_.block(kv::ExportBlock::Keyspace, payload));
    ++report_.keyspaces;
    Cursor cursor = txn_.cursor(info.keyspace);
    CHECK(cursor.seek_first());
    while (cursor.is_valid()) {
      CHECK(cursor.value_size() > kBatchBytes ? large(cursor, info.keyspace) : small(cursor));
      if (++report_.entries % kEntriesPerTick == 0 && progress_ && !progress_({report_.entries, 0, "entries"})) {
        return Status::error(ErrorCode::Cancelled);
      }
      CHECK(cursor.next());
    }
    return flush();
  }

  Status small(Cursor& cursor) {
    const Bytes key = cursor.key(), value = TRY(cursor.value());
    base::append_varint(batch_, key.size());
    batch_.append(key);
    base::append_varint(batch_, value.size());
    batch_.append(value);
    report_.bytes += key.size() + value.size();
    return batch_.size() < kBatchBytes ? Status{} : flush();
  }

  Status large(Cursor& cursor, Keyspace keyspace) {
    CHECK(flush());
    ValueReader reader = TRY(txn_.open_value(keyspace, cursor.key()));
    std::string payload;
    base::append_varint(payload, reader.size());
    payload.append(cursor.key());
    CHECK(writer_.block(kv::ExportBlock::Large, payload));
    std::string piece(kv::kExportPayloadMax / 2, '\0');
    for (std::uint64_t at = 0; at < reader.size();) {
      const std::size_t got = TRY(reader.read_at(at, piece.data(), piece.size()));
      CHECK(writer_.block(kv::ExportBlock::Data, {piece.data(), got}));
      at += got;
    }
    report_.bytes += cursor.key().size() + reader.size();
    return {};
  }

  Status flush() {
    if (batch_.empty()) return {};
    CHECK(writer_.block(kv::ExportBlock::Entries, batch_));
    batch_.clear();
    return {};
  }

  const ReadTransaction& txn_;
  kv::ExportWriter writer_;
  const ProgressFunction& progress_;
  TransferReport report_;
  std::string batch_;
};

// --- Import ----------------------------------------------------------------------------------------------------------

class Importer {
 public:
  Importer(WriteTransaction& txn, kv::ExportSource& source, const ProgressFunction& progress)
      : txn_(txn), reader_(source), progress_(progress) {}

  Result<TransferReport> run(ImportMode mode) {
    report_.snapshot_seq = TRY(reader_.begin()).snapshot_seq;
    if (mode == ImportMode::Replace) CHECK(drop_everything());
    for (;;) {
      Bytes payload;
      switch (TRY(reader_.next(payload))) {
        case kv::ExportBlock::Keyspace:
          CHECK(keyspace(payload));
          break;
        case kv::ExportBlock::Entries:
          CHECK(entries(payload));
          break;
        case kv::ExportBlock::Large:
          CHECK(large(payload));
          break;
        case kv::ExportBlock::End:
          return end(payload);
        case kv::ExportBlock::Data:
          return reader_.damaged("a piece of a value without its beginning");
        default:
          return reader_.damaged("a block of an unknown type");
      }
      if (progress_ && !progress_({report_.entries, 0, "entries"})) return Status::error(ErrorCode::Cancelled);
    }
  }

 private:
  Status drop_everything() {
    for (const KeyspaceInfo& info : TRY(txn_.keyspaces())) {
      if (info.name == kv::kDefaultName) {
        CHECK(txn_.erase_range(info.keyspace, {}, std::nullopt).status());
      } else {
        CHECK(txn_.drop_keyspace(info.name));
      }
    }
    return {};
  }

  Status keyspace(Bytes payload) {
    const std::optional<std::uint64_t> flags = base::take_varint(payload);
    if (!flags || *flags > 1) return reader_.damaged("a keyspace with unknown flags");
    keyspace_ = TRY(txn_.ensure_keyspace(payload, {.versions = *flags == 1}));
    ++report_.keyspaces;
    return {};
  }

  // Takes a size and that many bytes.
  Result<Bytes> take(Bytes& from) {
    const std::optional<std::uint64_t> size = base::take_varint(from);
    if (!size || *size > from.size()) return reader_.damaged("an entry is longer than its block");
    const Bytes taken = from.substr(0, *size);
    from.remove_prefix(*size);
    return taken;
  }

  Status entries(Bytes payload) {
    if (report_.keyspaces == 0) return reader_.damaged("entries before any keyspace");
    while (!payload.empty()) {
      const Bytes key = TRY(take(payload)), value = TRY(take(payload));
      CHECK(txn_.put(keyspace_, key, value));
      ++report_.entries;
      report_.bytes += key.size() + value.size();
    }
    return {};
  }

  Status large(Bytes payload) {
    const std::optional<std::uint64_t> size = base::take_varint(payload);
    if (!size || report_.keyspaces == 0) return reader_.damaged("a large value without a size or a keyspace");
    report_.bytes += payload.size() + *size;
    ++report_.entries;
    ValueWriter writer = TRY(txn_.write_value(keyspace_, payload));
    for (std::uint64_t left = *size; left > 0;) {
      Bytes piece;
      const kv::ExportBlock type = TRY(reader_.next(piece));
      if (type != kv::ExportBlock::Data || piece.empty() || piece.size() > left) {
        return reader_.damaged("a large value is not followed by its bytes");
      }
      CHECK(writer.append(piece));
      left -= piece.size();
    }
    return writer.finish();
  }

  Result<TransferReport> end(Bytes payload) {
    const std::optional<std::uint64_t> keyspaces = base::take_varint(payload);
    const std::optional<std::uint64_t> entries = base::take_varint(payload);
    const std::optional<std::uint64_t> bytes = base::take_varint(payload);
    if (keyspaces != report_.keyspaces || entries != report_.entries || bytes != report_.bytes || !payload.empty()) {
      return reader_.damaged("the end mark counts something else than the file has");
    }
    CHECK(reader_.expect_end());
    return report_;
  }

  WriteTransaction& txn_;
  kv::ExportReader reader_;
  const ProgressFunction& progress_;
  Keyspace keyspace_;
  TransferReport report_;
};

// --- Files -----------------------------------------------------------------------------------------------------------

Result<std::unique_ptr<kv::ExportSink>> sink_for(const engine::Engine& engine, os::Env& env, os::File& file,
                                                 Plaintext plaintext) {
  const auto [keys, table] = engine.keys_for_copy();
  if (!keys.ring || plaintext == Plaintext::Allowed) return std::unique_ptr<kv::ExportSink>(new kv::PlainSink(file));
  return kv::SealedSink::create(env, file, table, keys.ring->master(), keys.ring->cipher());
}

// A secret says that the file is encrypted, so that nobody can put a plain one in its place.
Result<std::unique_ptr<kv::ExportSource>> source_of(os::File& file, const engine::Engine& target, const Secret& secret,
                                                    Plaintext plaintext) {
  const std::shared_ptr<const crypto::KeyRing> ring = target.keys().ring;
  if (!TRY(kv::is_sealed_export(file))) {
    if (secret) return Status::error(ErrorCode::NotEncrypted, "a secret was given, but the export is not encrypted");
    return std::unique_ptr<kv::ExportSource>(new kv::PlainSource(file));
  }
  if (!ring && plaintext == Plaintext::Refused) {
    return Status::error(ErrorCode::PlaintextRefused,
                         "the export is encrypted, and the database is not; ask for plaintext in so many words");
  }
  return kv::SealedSource::open(file, secret, ring ? &ring->master() : nullptr);
}

}  // namespace

Result<TransferReport> Database::backup(const std::string& path, const ProgressFunction& progress,
                                        Plaintext plaintext) const {
  return kv::safely(
      [&] { return impl_->current()->backup(impl_->outside(), path, progress, plaintext == Plaintext::Allowed); });
}

// The file gets its name once it is whole and durable.
Result<TransferReport> Database::export_to(const std::string& path, const ProgressFunction& progress,
                                           Plaintext plaintext) const {
  return kv::safely([&]() -> Result<TransferReport> {
    const ReadTransaction txn = TRY(begin_read());
    os::Env& env = impl_->outside();
    engine::DraftFile draft = TRY(engine::DraftFile::of(env, path));
    const std::unique_ptr<os::File> file = TRY(env.open(draft.name(), os::OpenMode::CreateNew));
    const std::unique_ptr<kv::ExportSink> sink = TRY(sink_for(*impl_->current(), env, *file, plaintext));
    const TransferReport report = TRY(Exporter(txn, *sink, progress).run(env.wall_ms()));
    CHECK(draft.publish());
    return report;
  });
}

Result<TransferReport> Database::import_from(const std::string& path, ImportMode mode, const ProgressFunction& progress,
                                             const Secret& secret, Plaintext plaintext) {
  return kv::safely([&]() -> Result<TransferReport> {
    WriteTransaction txn = TRY(begin_write());
    const std::unique_ptr<os::File> file = TRY(impl_->outside().open(path, os::OpenMode::ReadOnly));
    const std::unique_ptr<kv::ExportSource> source = TRY(source_of(*file, *impl_->current(), secret, plaintext));
    TransferReport report = TRY(Importer(txn, *source, progress).run(mode));
    CHECK(txn.commit().status);
    return report;
  });
}

}  // namespace vitrine
