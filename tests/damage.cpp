// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tests/damage.hpp"

#include <functional>

#include "base/codec.hpp"
#include "base/prng.hpp"
#include "base/try.hpp"
#include "engine/file_keys.hpp"
#include "format/log_seal.hpp"

namespace vitrine::testing {
namespace {

std::string content_of(os::SimEnv& env, const std::string& path) {
  const std::unique_ptr<os::File> file = env.open(path, os::OpenMode::ReadOnly).value();
  std::string bytes(file->size().value(), '\0');
  bytes.resize(file->read_at(0, bytes.data(), bytes.size()).value());
  return bytes;
}

Status place_file(os::SimEnv& env, const std::string& path, const std::optional<std::string>& bytes) {
  const bool is_there = TRY(env.exists(path));
  if (!bytes) return is_there ? env.remove(path) : Status{};
  const auto mode = is_there ? os::OpenMode::ReadWrite : os::OpenMode::CreateNew;
  const std::unique_ptr<os::File> file = TRY(env.open(path, mode));
  CHECK(file->resize(bytes->size()));
  const os::IoSlice slice{bytes->data(), bytes->size()};
  CHECK(file->write_at(0, {&slice, 1}));
  return file->sync();
}

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

constexpr int kLogCommits = 8;

// Fills a database and notes what each commit left.
class Author {
 public:
  Author(Reference& reference, Database& db, std::uint64_t seed) : reference_(reference), db_(db), random_(seed) {}

  Status fill() {
    CHECK(commit([this](WriteTransaction& txn) { return put_keyspaces(txn); }));
    CHECK(commit([this](WriteTransaction& txn) { return put_default(txn); }));
    CHECK(db_.checkpoint());
    CHECK(commit([](WriteTransaction& txn) { return make_free_pages(txn); }));
    return db_.checkpoint();
  }

  // Commits of different sizes that stay in the log.
  Status fill_log(int commits) {
    for (int n = 0; n < commits; ++n) {
      CHECK(commit([this, n](WriteTransaction& txn) { return put_numbered(txn, n); }));
    }
    return {};
  }

 private:
  Status put_keyspaces(WriteTransaction& txn) {
    const Keyspace words = TRY(txn.create_keyspace("words"));
    const Keyspace plain = TRY(txn.create_keyspace("w\xc3\xb6rter", {.versions = false}));
    for (int i = 0; i < 120; ++i) CHECK(txn.put(words, "word " + std::to_string(i), value(40, 60)));
    for (int i = 0; i < 20; ++i) CHECK(txn.put(plain, value(8, 200), value(0, 300)));
    CHECK(txn.put(words, "one extent", value(9000, 9001)));
    return txn.put(words, "many extents", value(66'000, 66'001));
  }

  Status put_default(WriteTransaction& txn) {
    for (int i = 0; i < 60; ++i) CHECK(txn.put("key " + std::to_string(i), value(100, 200)));
    return {};
  }

  static Status make_free_pages(WriteTransaction& txn) {
    for (int i = 0; i < 60; i += 2) CHECK(txn.erase("key " + std::to_string(i)).status());
    return txn.put("short", "value");
  }

  Status put_numbered(WriteTransaction& txn, int n) {
    const Keyspace words = TRY(txn.keyspace("words"));
    CHECK(txn.put(words, "word " + std::to_string(n * 7), value(20, 900)));
    CHECK(txn.put("in the log " + std::to_string(n), value(10, 1500)));
    return n % 4 == 3 ? txn.erase("key " + std::to_string(n)).status() : Status{};
  }

  std::string value(std::size_t from, std::size_t to) {
    return random_bytes(random_.next(), random_.between(from, to - 1));
  }

  Status commit(const std::function<Status(WriteTransaction&)>& body) {
    CHECK(db_.write(body));
    reference_.last_commit = TRY(db_.info()).commit_seq;
    reference_.states[reference_.last_commit] = TRY(hash_of(db_));
    return {};
  }

  Reference& reference_;
  Database& db_;
  base::Prng random_;
};

Status try_to_read(const Database& db, Look& look) {
  look.hash = TRY(hash_of(db));
  return {};
}

// Reads of one entry through all that leads to it.
Status check_entry(const Transaction& txn, const std::string& keyspace, const std::string& key,
                   const ModelEntry& expected) {
  const Keyspace handle = TRY(txn.keyspace(keyspace));
  const std::optional<Entry> found = TRY(txn.get_entry(handle, key));
  if (!found) return test_failure("an entry is missing").with("key", key);
  if (found->value != expected.value || found->version != expected.version) {
    return test_failure("an entry is wrong").with("key", key);
  }
  return {};
}

}  // namespace

Image image_of(os::SimEnv& env) {
  Image image{content_of(env, kDamagePath), std::nullopt};
  if (env.exists(kDamageLogPath).value()) image.log = content_of(env, kDamageLogPath);
  return image;
}

Status place(os::SimEnv& env, const Image& image) {
  CHECK(place_file(env, kDamagePath, image.data));
  return place_file(env, kDamageLogPath, image.log);
}

std::unique_ptr<format::LogSeal> log_seal_of(const Image& image) {
  if (!meta_of(image).is_encrypted()) return nullptr;
  const engine::FileKeys keys =
      engine::unlock(bytes_of(image.data).first(format::kMetaAreaSize), test_secret()).value();
  return format::LogSeal::make(keys.ring, {}).value();
}

format::Meta meta_of(const Image& image) {
  return format::choose_meta(bytes_of(image.data).first(format::kMetaAreaSize)).value().meta;
}

Result<Reference> make_reference(std::uint64_t seed, std::uint64_t env_seed) {
  const std::unique_ptr<os::SimEnv> env = os::SimEnv::create({.seed = env_seed});
  Reference reference;
  Database db = TRY(Database::open(kDamagePath, OpenMode::CreateNew, small_options(*env)));
  Author author(reference, db, seed);
  CHECK(author.fill());
  reference.pages_allocated = TRY(db.stats()).pages_allocated;
  CHECK(author.fill_log(kLogCommits));
  reference.model = TRY(model_of(db));
  reference.image = image_of(*env);
  return reference;
}

std::vector<LogRange> live_ranges(const Image& image) {
  const format::Meta meta = meta_of(image);
  const auto log = bytes_of(*image.log);
  const std::uint64_t segment_size = format::decode_log_file_header(log).value().segment_size;
  const std::unique_ptr<format::LogSeal> seal = log_seal_of(image);
  const std::size_t salt_size = seal ? format::kFrameSaltSize : 0;
  std::vector<LogRange> ranges{{0, format::kLogFileHeaderSize, false}};
  const auto slot_of = [&](std::uint64_t segment) -> std::uint64_t {
    for (std::uint64_t at = format::kLogSlotsOffset; at < log.size(); at += segment_size) {
      const auto header = format::decode_segment_header(log.subspan(at), meta.file);
      if (header && header->number == segment) return at;
    }
    return 0;
  };
  format::Lsn lsn = meta.log_position;
  std::uint64_t segment = (lsn - 1) / segment_size;  // must be there, even if the first frame is in the next one
  ranges.push_back({slot_of(segment), slot_of(segment) + format::kSegmentHeaderSize, false});
  std::uint64_t chain = meta.log_chain;
  for (;;) {
    // The next frame follows at once, in the next block, or in the next segment.
    const format::Lsn here = (lsn - 1) / segment_size;
    std::optional<format::FrameView> frame;
    for (const format::Lsn at :
         {lsn, base::align_up(lsn, format::kLogBlockSize), (here + 1) * segment_size + format::kSegmentHeaderSize}) {
      const std::uint64_t slot = slot_of(at / segment_size);
      if (slot == 0 || at % segment_size == 0) continue;
      const std::uint64_t offset = slot + at % segment_size;
      frame = format::decode_frame(log.subspan(offset), at, meta.file, seal.get());
      if (!frame || frame->header.chain != chain) {
        frame.reset();
        continue;
      }
      if (at / segment_size != segment) {
        segment = at / segment_size;
        ranges.push_back({slot, slot + format::kSegmentHeaderSize, false});
      }
      // The zeros that fill a frame up to a multiple of 8 mean nothing.
      ranges.push_back({offset, offset + format::kFrameHeaderSize + salt_size + frame->payload.size(), false});
      lsn = at + frame->size;
      chain = frame->header.tag_low;
      break;
    }
    if (!frame) break;
  }
  ranges.back().is_last_frame = true;
  return ranges;
}

std::string Look::to_string() const {
  std::string text = "read: " + (error.is_ok() ? std::string("ok") : error.to_string());
  if (!report) return text;
  text += report->is_clean() ? "; verify: clean" : report->is_complete ? "; verify: complete" : "; verify: incomplete";
  for (const Finding& finding : report->findings) {
    text += ", " + finding.code + " page " + std::to_string(finding.page) + " (" + finding.message + ")";
  }
  return text;
}

Look look_at(os::Env& env, Access access, Reading reading) {
  Options options = small_options(env);
  options.access = access;
  Look look;
  const Result<Database> db = Database::open(kDamagePath, OpenMode::MustExist, options);
  if (!db.has_value()) {
    look.error = db.status();
    return look;
  }
  if (reading == Reading::Everything) look.error = try_to_read(*db, look);
  Result<VerifyReport> report = db->verify(VerifyLevel::Full);
  if (report.has_value()) {
    look.report = std::move(*report);
  } else if (look.error.is_ok()) {
    look.error = report.status();
  }
  const Result<DatabaseInfo> info = db->info();
  if (info.has_value()) look.commit_seq = info->commit_seq;
  return look;
}

bool names_damage(const Status& status) {
  return status.kind() == ErrorKind::IntegrityFailure || status.code() == ErrorCode::NotDatabase ||
         status.code() == ErrorCode::VersionUnsupported;
}

Status check_entries_one_by_one(os::Env& env, const Model& model) {
  Options options = small_options(env);
  options.access = Access::ReadOnly;
  const Result<Database> db = Database::open(kDamagePath, OpenMode::MustExist, options);
  if (!db.has_value()) return names_damage(db.status()) ? Status{} : db.status();
  const ReadTransaction txn = TRY(db->begin_read());
  for (const auto& [keyspace, entries] : model) {
    for (const auto& [key, entry] : entries) {
      const Status status = check_entry(txn, keyspace, key, entry);
      if (!status.is_ok() && !names_damage(status)) return status;
    }
  }
  return {};
}

}  // namespace vitrine::testing
