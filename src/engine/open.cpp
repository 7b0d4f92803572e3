// SPDX-License-Identifier: MIT OR Apache-2.0
// From a file name to a tree: creating, locking, choosing a checkpoint, loading. Closing.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <new>
#include <thread>

#include "base/assert.hpp"
#include "base/codec.hpp"
#include "base/try.hpp"
#include "engine/draft_file.hpp"
#include "engine/engine.hpp"
#include "engine/write_session.hpp"
#include "format/sealed_page.hpp"
#include "vitrine/errors.hpp"

namespace vitrine::engine {
namespace {

constexpr std::uint64_t kLockRetryMs = 5;
constexpr std::uint64_t kCacheMin = 64u << 10;
constexpr std::uint64_t kLogMin = 1u << 20;
constexpr std::uint64_t kLogDefault = 64u << 20;
constexpr std::uint64_t kLogDefaultMax = 1u << 30;
constexpr std::uint32_t kSegmentMin = 16u << 10;
constexpr std::uint32_t kSegmentDefault = 1u << 20;
constexpr std::size_t kExtentMax = 1u << 20;

Status check_options(Options& options) {
  const auto invalid = [](const char* what) { return Status::error(ErrorCode::ArgumentInvalid, what); };
  if (options.page_size != 0 && !format::is_page_size(options.page_size)) {
    return invalid("the page size must be a power of two from 4096 to 65536");
  }
  if (options.cache_size < kCacheMin) return invalid("the cache must have at least 64 KiB");
  if (options.log_size_max == 0) options.log_size_max = std::clamp(options.cache_size / 4, kLogDefault, kLogDefaultMax);
  if (options.log_size_max < kLogMin) return invalid("the log must have at least 1 MiB");
  if (options.log_segment_size == 0) {
    while (options.log_segment_size < kSegmentMin) options.log_segment_size = kSegmentMin;
    while (options.log_segment_size < kSegmentDefault && options.log_segment_size * 16ull <= options.log_size_max) {
      options.log_segment_size *= 2;
    }
  }
  const std::uint32_t segment = options.log_segment_size;
  if (!format::is_segment_size(segment) || segment * 4ull > options.log_size_max) {
    return invalid("a log segment must be a power of two from 16 KiB to 64 MiB, and at most a quarter of the log");
  }
  if (options.sync_period.count() <= 0) return invalid("the sync period must be positive");
  return {};
}

std::size_t extent_max(const Options& options, std::uint32_t page_size) noexcept {
  const auto share = static_cast<std::size_t>(options.cache_size / 16);
  const std::size_t bytes = std::clamp<std::size_t>(share, std::size_t{page_size} * 2, kExtentMax);
  return bytes / page_size * page_size;
}

Result<format::FileId> random_file_id(os::Env& env) {
  format::FileId id;
  CHECK(env.random_bytes(std::as_writable_bytes(std::span(&id, 1))));
  return id;
}

Status write_new_file(os::File& file, const Meta& meta, const crypto::KeyRing* keys) {
  std::array<std::byte, format::kMetaAreaSize> area{};
  for (unsigned copy = 0; copy < 2; ++copy) {
    const format::MetaBlock block = TRY(format::seal_meta(meta, copy, keys));
    const std::size_t at = (format::meta_slot(meta.checkpoint) * 2 + copy) * format::kMetaBlockSize;
    std::memcpy(area.data() + at, block.data(), block.size());
  }
  const os::IoSlice slice{area.data(), area.size()};
  CHECK(file.reserve(0, std::max<std::uint64_t>(area.size(), meta.page_count * meta.page_size)));
  CHECK(file.write_at(0, {&slice, 1}));
  return file.sync();
}

}  // namespace

Engine::Engine(os::Env& env, std::string path, const Options& options, Backing backing)
    : env_(env), path_(std::move(path)), options_(options), backing_(backing) {}

Engine::~Engine() {
  try {
    (void)close();
  } catch (const std::bad_alloc&) {  // as after a crash: the next open recovers
  }
}

// The file is made under another name and gets its own once it is whole and durable.
Status Engine::create(os::Env& env, const std::string& path, const Options& options, const Origin& origin) {
  Options checked = options;
  CHECK(check_options(checked));
  DraftFile draft = TRY(DraftFile::of(env, path));
  CHECK(check_new_file_is_expected(env, path, options));
  Meta meta;
  meta.page_size = checked.page_size == 0 ? format::kPageSizeDefault : checked.page_size;
  meta.file = TRY(random_file_id(env));
  meta.checkpoint = 1;
  meta.version = 1;
  meta.page_count = format::first_page(meta.page_size);
  meta.wall_ms = meta.clock_ms = env.wall_ms();
  meta.state = format::kMetaClean;
  FileKeys keys;
  if (origin.original) {
    meta.commit_seq = origin.commit_seq;
    meta.history = origin.original->history;
    meta.history.cut_behind(origin.commit_seq);
  }
  if (origin.original && origin.keys.ring) {
    keys = TRY(inherit_keys(meta, *origin.original, origin.keys));
  } else if (options.secret) {
    keys = TRY(make_keys(env, meta, options.secret, options.cipher, origin.key_epoch));
  }
  {
    const std::unique_ptr<os::File> file = TRY(env.open(draft.name(), os::OpenMode::CreateNew));
    CHECK(write_new_file(*file, meta, keys.ring.get()));
  }
  return draft.publish();
}

Result<std::shared_ptr<Engine>> Engine::open(os::Env& env, const std::string& path, const Options& options,
                                             Backing backing, const FileKeys& keys) {
  Options checked = options;
  CHECK(check_options(checked));
  for (int attempt = 1;; ++attempt) {
    std::shared_ptr<Engine> engine(new Engine(env, path, checked, backing));
    engine->keys_ = keys;
    const Status status = engine->open_all();
    if (status.is_ok()) {
      engine->options_.secret = {};
      return engine;
    }
    engine->closed_ = true;  // a half-opened engine must not write a checkpoint on its way out
    if (attempt == 3 || !engine->was_overtaken(status)) return status;
  }
}

// Whether a writer may be why a reader could not be opened with what it had read of the header.
bool Engine::was_overtaken(const Status& status) {
  if (!is_read_only()) return false;
  switch (status.code()) {
    case ErrorCode::LogMissing:  // the writer has closed and taken the log away
      return true;
    case ErrorCode::KeyMismatch:  // keys were there: they have been rotated since
      return codec_ != nullptr;
    case ErrorCode::RolledBack: {  // a later checkpoint may have the commit that is missed
      const Result<bool> ahead = is_writer_ahead();
      return ahead.has_value() ? *ahead : ahead.status().code() == ErrorCode::KeyMismatch;
    }
    default:
      return false;
  }
}

Status Engine::open_all() {
  try {
    CHECK(open_files());
    return is_read_only() ? open_for_reading() : open_for_writing();
  } catch (const std::bad_alloc&) {
    return Status::out_of_memory();
  }
}

Status Engine::open_files() {
  fork_guard_ = TRY(os::ForkGuard::make());
  const auto mode = is_read_only() ? os::OpenMode::ReadOnly : os::OpenMode::ReadWrite;
  file_ = TRY(env_.open(path_, mode));
  closed_ = false;
  return {};
}

Result<Meta> Engine::read_meta() {
  std::array<std::byte, format::kMetaAreaSize> area;
  const std::size_t got = TRY(file_->read_at(0, area.data(), area.size()));
  const std::span<const std::byte> there = std::span(area).first(got);
  CHECK(find_keys(there));
  Result<format::MetaChoice> choice = format::choose_meta(there, keys_.ring.get());
  if (!choice.has_value()) {
    if (!keys_.ring || !has_later_keys(there, *keys_.ring)) return choice.status().with("path", path_);
    return Status::error(ErrorCode::KeyMismatch, "the keys were rotated: open the database again with its secret")
        .with("path", path_);
  }
  if (choice->meta.is_encrypted() && !keys_.ring) return Status::error(ErrorCode::KeyRequired).with("path", path_);
  if (!codec_) CHECK(find_previous_keys(choice->meta, keys_));
  return choice->meta;
}

// Until the engine is open, which later looks at the header must verify under the keys of. A rotation may begin between
// two looks.
Status Engine::find_keys(std::span<const std::byte> area) {
  if (codec_) return {};
  if (keys_.ring) {
    const Result<format::MetaChoice> choice = format::choose_meta(area);
    if (!choice.has_value()) return choice.status().with("path", path_);
    keys_.ring = TRY(keys_.ring->for_file(bytes_of(choice->meta.file)));
    if (!options_.secret || !has_later_keys(area, *keys_.ring)) return {};
  }
  if (options_.secret) {
    Result<FileKeys> keys = unlock(area, options_.secret);
    if (!keys.has_value()) return keys.status().with("path", path_);
    keys_ = std::move(*keys);
  }
  return {};
}

// What this session seals and opens pages and frames with.
Status Engine::make_codecs() {
  if (!keys_.ring) {
    codec_ = std::make_unique<format::PageCodec>(meta_.file);
    return {};
  }
  crypto::Salt page_salt{}, log_salt{};
  CHECK(env_.random_bytes(page_salt));
  CHECK(env_.random_bytes(log_salt));
  std::unique_ptr<format::SealedPageCodec> codec = TRY(make_page_codec(meta_, keys_, page_salt));
  sealed_codec_ = codec.get();
  codec_ = std::move(codec);
  log_seal_ = TRY(format::LogSeal::make(keys_.ring, log_salt));
  return {};
}

Status Engine::take_writer_lock() {
  const std::uint64_t deadline =
      env_.monotonic_ns() + static_cast<std::uint64_t>(std::chrono::nanoseconds(options_.lock_timeout).count());
  while (!TRY(file_->try_lock(kLockWriter, 1, os::LockMode::Exclusive))) {
    if (env_.monotonic_ns() >= deadline) {
      const std::uint64_t owner = log_owner_id();
      const Status locked = Status::error(ErrorCode::FileLocked).with("path", path_);
      return owner == 0 ? locked : locked.with("owner", owner);
    }
    env_.sleep_ms(kLockRetryMs);
  }
  return still_has_its_name();
}

// Whoever had the lock may have put another file in the place of this one: what is written here would be lost.
Status Engine::still_has_its_name() {
  if (backing_ == Backing::Memory) return {};
  const std::unique_ptr<os::File> named = TRY(env_.open(path_, os::OpenMode::ReadOnly));
  if (TRY(named->identity()) == TRY(file_->identity())) return {};
  return Status::error(ErrorCode::FileLocked, "the file was replaced at this moment").with("path", path_);
}

Status Engine::check_length(std::uint64_t size) const {
  if (size >= meta_.page_count * meta_.page_size) return {};
  return Status::error(ErrorCode::FileTruncated)
      .with("path", path_)
      .with("size", size)
      .with("expected", meta_.page_count * meta_.page_size);
}

Status Engine::load_pages() {
  page_size_ = meta_.page_size;
  CHECK(make_codecs());
  store_ = std::make_unique<pool::PageStore>(*file_, *codec_, meta_.page_size);
  pool_ = TRY(pool::Pool::create(*store_, options_.cache_size, tree::validate_page, env_));
  space_ = std::make_unique<space::SpaceMap>(meta_.page_size, [this](std::uint64_t pages) { return grow_file(pages); });
  file_pages_ = is_read_only() ? meta_.page_count : TRY(file_->size()) / meta_.page_size;
  if (is_read_only()) {
    // Own pages are numbered behind the file's: what the map calls free does not matter, and a damaged map no harm.
    space_->reset(meta_.page_count);
    constexpr std::uint64_t kStep = 1u << 30;
    for (std::uint64_t rest = meta_.page_count - format::first_page(meta_.page_size); rest > 0;
         rest -= std::min(rest, kStep)) {
      TRY(space_->allocate(static_cast<std::uint32_t>(std::min(rest, kStep))));
    }
  } else {
    CHECK(space_->load(meta_.map_root, meta_.page_count,
                       [this](const PageRef& ref, std::byte* to) { return store_->read(ref, to, meta_.page_size); }));
    note_free_shape(*space_);
  }
  std::uint64_t session = 0;
  CHECK(env_.random_bytes(std::as_writable_bytes(std::span(&session, 1))));
  workspace_ = std::make_unique<tree::Workspace>(*pool_, *space_, session, meta_.version + 1,
                                                 extent_max(options_, meta_.page_size));
  tree_ = std::make_unique<tree::TreeWriter>(*workspace_);
  tree_->set_root({meta_.tree_root, meta_.entry_count});
  // A writer begins on nothing but a sound root. A reader may look at what is left of a damaged file.
  const bool check_root = !is_read_only() && !meta_.tree_root.is_null();
  if (check_root) TRY(tree::fetch_node(*pool_, meta_.tree_root, std::nullopt)).release();
  versions_ =
      std::make_unique<txn::Versions>(State{meta_.version, tree_->root(), meta_.commit_seq, 0}, pool_->visits());
  versions_->pin_checkpoint(meta_.version);
  retained_ = {{meta_.checkpoint, meta_.version, meta_.log_position}};
  return {};
}

// A header whose last sync failed may be in memory and not on the disk. Written once more it is on the disk, before the
// older slot, which the disk may still need, is touched. The same mends a damaged copy, and goes for the file's length.
Status Engine::heal_header() {
  CHECK(file_->resize(TRY(file_->size())));
  return write_meta(meta_);
}

Status Engine::write_session_header() {
  Meta meta = meta_;
  ++meta.open_count;
  meta.state = 0;
  meta.history.begin(versions_->latest().commit_seq + 1, workspace_->session());
  return write_next_header(meta);
}

// The checkpoint stays what it is, under the next number and with what `meta` has changed.
Status Engine::write_next_header(Meta meta, const FileKeys& keys) {
  ++meta.checkpoint;
  CHECK(write_meta(meta, keys));
  {
    std::lock_guard lock(meta_mutex_);
    meta_ = meta;
    if (&keys != &keys_) keys_ = keys;
  }
  versions_->pin_checkpoint(meta_.version);
  retained_.push_back({meta_.checkpoint, meta_.version, meta_.log_position});
  return {};
}

Status Engine::open_for_writing() {
  CHECK(take_writer_lock());
  CHECK(read_anchor());
  meta_ = TRY(read_meta());
  CHECK(check_length(TRY(file_->size())));
  was_clean_ = meta_.is_clean();
  CHECK(load_pages());
  if (backing_ == Backing::Memory) return {};
  CHECK(keep_pages_of_older_readers());
  CHECK(heal_header());
  CHECK(recover_log());
  CHECK(open_anchor());
  let_go_of_old_checkpoints();
  last_commit_ns_ = env_.monotonic_ns();
  if (env_.has_background_threads()) worker_ = TRY(os::Worker::start([this] { return maintain(); }));
  return {};
}

Status Engine::lock_checkpoint_for_reading() {
  // The checkpoint that is the newest while its byte is locked stays whole: the writer looks at the locks after each
  // new header.
  for (;;) {
    meta_ = TRY(read_meta());
    const std::uint64_t byte = lock_of_checkpoint(meta_.checkpoint);
    if (!TRY(file_->try_lock(byte, 1, os::LockMode::Shared))) {
      return Status::error(ErrorCode::FileLocked, "the checkpoint is locked exclusively").with("path", path_);
    }
    // A later checkpoint may cut what is free at the end of this one: only a length from before it says anything.
    const std::uint64_t size = TRY(file_->size());
    if (TRY(read_meta()).checkpoint == meta_.checkpoint) return check_length(size);
    CHECK(file_->unlock(byte, 1));
  }
}

Status Engine::open_for_reading() {
  CHECK(read_anchor());
  CHECK(lock_checkpoint_for_reading());
  was_clean_ = meta_.is_clean();
  CHECK(load_pages());
  CHECK(replay_for_reading());
  return check_freshness();
}

Status Engine::check_usable() const {
  if (closed_.load(std::memory_order_acquire)) return Status::error(ErrorCode::Misuse, "the database is closed");
  return check_process();
}

State Engine::pin_snapshot() { return versions_->pin(env_.monotonic_ns()); }

Status Engine::take_latch() {
  if (writing_thread_.load(std::memory_order_relaxed) == std::this_thread::get_id()) {
    return Status::error(ErrorCode::Misuse, "this thread has a write transaction open, and would wait for itself");
  }
  latch_.acquire();
  return {};
}

Result<std::unique_ptr<WriteSession>> Engine::begin_write(std::optional<std::chrono::milliseconds> wait) {
  CHECK(check_usable());
  if (is_read_only()) return Status::error(ErrorCode::ReadOnly);
  CHECK(failure());
  if (!wait) {
    CHECK(take_latch());
  } else if (!latch_.acquire(std::chrono::steady_clock::now() + *wait)) {
    return Status::error(ErrorCode::Timeout, "another transaction is writing");
  }
  if (Status status = failure(); !status.is_ok() || closed_) {
    latch_.release();
    return status.is_ok() ? Status::error(ErrorCode::Misuse, "the database is closed") : status;
  }
  try {
    drain_released();
    recycle_log();
    return std::make_unique<WriteSession>(shared_from_this());  // last: from here on the session has the latch
  } catch (const std::bad_alloc&) {
    latch_.release();
    return Status::out_of_memory();
  }
}

Status Engine::failure() const {
  if (store_->has_failed()) return because(Status::error(ErrorCode::Poisoned), store_->failure());
  if (!log_) return {};
  const Status log = log_->failure();
  if (log.is_ok()) return {};
  return because(Status::error(ErrorCode::Poisoned), log);
}

Status Engine::check_process() const {
  if (!fork_guard_.has_forked()) return {};
  return Status::error(ErrorCode::Misuse, "the handle belongs to the process before fork");
}

Status Engine::sync() {
  CHECK(check_usable());
  if (is_read_only()) return Status::error(ErrorCode::ReadOnly);
  if (!log_) return {};
  CHECK(failure());
  CHECK(log_->sync(log_end_.load(std::memory_order_acquire)));
  versions_->advance(log_->durable());
  return move_anchor();
}

Status Engine::close() {
  if (closed_.exchange(true)) return {};
  if (const Status other_process = check_process(); !other_process.is_ok()) {
    // The thread runs, and the log is owned, in the parent alone: nothing may wait for the one or write to the other.
    (void)worker_.release();
    (void)log_.release();
    return other_process;
  }
  worker_.reset();
  if (is_read_only()) return file_->unlock(lock_of_checkpoint(meta_.checkpoint), 1);
  if (backing_ == Backing::Memory || !log_) return {};
  const Status status = close_writer();
  log_.reset();                          // it writes that nobody owns it, and may not do so to the next writer's
  CHECK(file_->unlock(kLockWriter, 1));  // after a failure, too: nothing will be written any more
  return status;
}

// The file is whole without its log before a successor takes its name: there is no moment without one of the two.
Status Engine::close_writer(DraftFile* successor) {
  CHECK(failure());
  latch_.acquire();
  CHECK(checkpoint_with_latch(std::unique_lock(checkpoint_mutex_), Ending::Clean));
  log_.reset();
  CHECK(env_.remove(log_path()));
  CHECK(env_.sync_directory_of(path_));
  return successor == nullptr ? Status{} : successor->replace();
}

}  // namespace vitrine::engine
