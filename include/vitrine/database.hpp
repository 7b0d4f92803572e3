// SPDX-License-Identifier: MIT OR Apache-2.0
// A database: one file (NAME.vtr) and, while it is open for writing or after a crash, its log (NAME.vtr-wal).
//
//   auto db = Database::open("app.vtr", OpenMode::CreateIfMissing).value();
//   db.put("greeting", "hello");                                   // one durable transaction
//   db.write([](WriteTransaction& txn) { return txn.put("a", "1"); });
//   auto value = db.get("greeting").value();                       // std::optional<std::string>
//
// Thread safety: all methods may be called from any thread, but close(), moving and destruction must not run beside
// other calls. Destruction closes; transactions still open then are rolled back and answer TransactionFinished.
// A handle must not be used in a child after fork (Misuse).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "vitrine/options.hpp"
#include "vitrine/report.hpp"
#include "vitrine/status.hpp"
#include "vitrine/transaction.hpp"

namespace vitrine {

enum class OpenMode : std::uint8_t { MustExist, CreateIfMissing, CreateNew };

enum class ImportMode : std::uint8_t {
  Merge,    // entries of the file are put over what is there
  Replace,  // everything that is there goes first
};

// Whether the content of an encrypted database may leave it unencrypted.
enum class Plaintext : bool { Refused, Allowed };

struct DatabaseImpl;

class Database {
 public:
  // Opens, and recovers if the last writer did not close. Errors: FileNotFound, FileExists, NotDatabase,
  // VersionUnsupported, HeaderDamaged, FileTruncated, LogMissing, LogForeign, LogHole, FileLocked (detail "owner": its
  // process id), KeyRequired, KeyMismatch, NotEncrypted (Options::secret), the file errors, ArgumentInvalid (options).
  static Result<Database> open(const std::string& path, OpenMode mode = OpenMode::MustExist, Options options = {});
  // A database that lives in memory and ends with the handle. Same interface; files and durability do not apply, but
  // backups, exports and imports are files as ever.
  static Result<Database> open_in_memory(Options options = {});

  ~Database();
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;

  // Makes everything durable, writes a checkpoint and removes the log. Open write transactions are rolled back.
  Status close();

  // Transactions. There is one write transaction at a time; begin_write waits for its turn. Errors of begin_write:
  // ReadOnly, Poisoned, Timeout (after `wait`, when given). Misuse, when no `wait` is given and the transaction that is
  // open was begun, or last written to, by this very thread, which would wait for itself; the same goes for write(),
  // put(), erase(), checkpoint(), compact(), vacuum() and import_from() beside it.
  Result<ReadTransaction> begin_read() const;
  Result<WriteTransaction> begin_write(std::optional<std::chrono::milliseconds> wait = std::nullopt);

  // Runs `body(txn)`, which returns a Status, and commits if that is ok; else rolls back and passes it on.
  template <typename Body>
  Status write(Body&& body, std::optional<Durability> durability = std::nullopt) {
    Result<WriteTransaction> txn = begin_write();
    if (!txn.has_value()) return txn.status();
    if (Status status = body(*txn); !status.is_ok()) return status;
    return txn->commit(durability).status;
  }
  template <typename Body>
  auto read(Body&& body) const -> std::invoke_result_t<Body, const ReadTransaction&> {
    Result<ReadTransaction> txn = begin_read();
    if (!txn.has_value()) return txn.status();
    return body(*txn);
  }

  // One operation as one transaction, on the keyspace "default" where none is named. A put that need not be durable at
  // once costs less than a transaction with a put in it.
  Status put(Bytes key, Bytes value);
  Status put(Keyspace keyspace, Bytes key, Bytes value, std::optional<Durability> durability = std::nullopt);
  Result<std::optional<ByteString>> get(Bytes key) const;
  Result<bool> get(Keyspace keyspace, Bytes key, ByteString& value) const;  // false when there is no such entry
  Result<bool> erase(Bytes key);  // true when the key existed

  // Read-only handles beside a living writer: move on to what it has committed since. True when that is newer. After an
  // error the handle shows what it showed before, or a later commit of the writer, and can be refreshed again.
  // Transactions that are open keep what they see, also when the writer closes or dies and another one opens; an old
  // handle costs the writer space in the file until it is refreshed or closed.
  Result<bool> refresh();

  // Waits until everything committed so far is durable.
  Status sync();
  // Writes all changed pages and shortens the log to nothing.
  Status checkpoint();

  // Rewrites thinly filled pages to full ones; the freed space is reused, the file keeps its size.
  Result<CompactReport> compact(const ProgressFunction& progress = {});
  // Moves pages towards the start and cuts the file. Online, in small steps.
  Result<CompactReport> vacuum(const ProgressFunction& progress = {});

  // A whole database at `path` (must not exist), as of one moment, while writers go on. Of an encrypted database: one
  // that the same secrets open, or a plain one if that is asked for.
  Result<TransferReport> backup(const std::string& path, const ProgressFunction& progress = {},
                                Plaintext plaintext = Plaintext::Refused) const;
  // The portable format (docs/EXPORT.md): versioned, checksummed, with a count and an end mark. `path` must not exist.
  // Of an encrypted database: sealed for its secrets, or plain if that is asked for.
  Result<TransferReport> export_to(const std::string& path, const ProgressFunction& progress = {},
                                   Plaintext plaintext = Plaintext::Refused) const;
  // All or nothing. `secret` opens an encrypted file; one of this very database, or of one with the same master key,
  // needs none. A plain file is refused to who gives a secret, an encrypted one by a plain database unless plaintext is
  // asked for. Errors: ExportDamaged, ExportVersion, KeyRequired, KeyMismatch, NotEncrypted, PlaintextRefused.
  Result<TransferReport> import_from(const std::string& path, ImportMode mode = ImportMode::Merge,
                                     const ProgressFunction& progress = {}, const Secret& secret = {},
                                     Plaintext plaintext = Plaintext::Refused);

  // Keys of an encrypted database: up to 16 secrets, each of which opens it. Durable when the call returns. Errors:
  // NotEncrypted, ReadOnly, SecretInvalid, KeySlotsFull, KeySlotNotFound, KeySlotLast.
  // A removed or replaced secret still opens copies of the file that were made before.
  Result<std::vector<KeySlotInfo>> keys() const;  // empty: not encrypted
  Result<std::uint32_t> add_key(const Secret& secret);
  Status replace_key(std::uint32_t slot, const Secret& secret);
  Status remove_key(std::uint32_t slot);

  // A new master key, which `secret` alone opens, and every page anew under it, while this handle reads and writes on.
  // Other secrets, and old copies with what opened them, open nothing of what is written from its beginning on, and
  // nothing of the file at all from its end on. What was stopped, by a crash or Cancelled, goes on with the next call
  // with that secret; meanwhile the database is used as ever. Other handles that read keep what they see, and are
  // opened anew instead of refreshed (KeyMismatch). Errors: NotEncrypted, ReadOnly, SecretInvalid, Cancelled, Misuse
  // (another thread rotates), KeyMismatch (a rotation to another secret was stopped), those of writing.
  Result<RotateReport> rotate_keys(const Secret& secret, const ProgressFunction& progress = {});

  // Writes the whole file anew beside the old one, puts it in its place, and closes the handle: under new keys with
  // `secret` as the only secret (to encrypt, or for another cipher), or unencrypted. A crash leaves the old file or the
  // new one, an error the old one. Commit tokens and anchors hold on. Needs the space of a second file. Errors:
  // FileLocked (somebody reads the database), ReadOnly, SecretInvalid, Cancelled, those of backup().
  Result<TransferReport> encrypt(const Secret& secret, Cipher cipher = Cipher::Automatic,
                                 const ProgressFunction& progress = {});
  Result<TransferReport> decrypt(const ProgressFunction& progress = {});

  // Damage is in the report, not in the status. Status: only when the check itself could not run.
  Result<VerifyReport> verify(VerifyLevel level, const ProgressFunction& progress = {}) const;
  Result<Stats> stats() const;                          // vitrine/metrics.hpp names and explains the numbers
  Result<std::vector<HealthWarning>> warnings() const;  // what they warn of
  Result<DatabaseInfo> info() const;

 private:
  explicit Database(std::shared_ptr<DatabaseImpl> impl);
  std::shared_ptr<DatabaseImpl> impl_;
};

}  // namespace vitrine
