// SPDX-License-Identifier: MIT OR Apache-2.0
// `import --collection`: a file of documents, a piece at a time, in one transaction or in batches. A document that is
// refused stops the import, or is left out and counted, as --on-error says.
#include <algorithm>
#include <utility>
#include <vector>

#include "base/try.hpp"
#include "cli/database_access.hpp"
#include "cli/document_access.hpp"
#include "cli/file_stream.hpp"
#include "cli/terminal.hpp"
#include "cli/transfer_documents.hpp"

namespace vitrine::cli {
namespace {

constexpr std::size_t kFilePieceSize = 256 * 1024;
// Inserted at once, because that takes half the time.
constexpr std::size_t kDocumentsAtOnce = 1000, kBytesAtOnce = std::size_t{1} << 20;

enum class OnError : std::uint8_t { Stop, Skip, Report };

struct ImportSettings {
  DecodeOptions decode;
  OnError on_error = OnError::Stop;
  std::uint64_t batch = ~std::uint64_t{0};  // documents a transaction; all of them without --batch
  bool replaces_collection = false;
  bool replaces_documents = false;
};

// What concerns one document and left the transaction as it was.
bool may_skip(const Status& status) noexcept {
  const bool is_refused = status.kind() == ErrorKind::InvalidInput || status.kind() == ErrorKind::Conflict;
  return is_refused && !error_retryable(status.code());
}

class DocumentImport {
 public:
  DocumentImport(const ImportSettings& settings, std::string collection, InputFile input, Console& console)
      : settings_(settings),
        collection_(std::move(collection)),
        decoder_(settings.decode),
        input_(std::move(input)),
        input_size_(input_.size()),
        console_(console),
        bar_("import", console.progress()) {}

  Status run(Database& db) {
    for (bool is_first = true; !is_over_; is_first = false) {
      Status imported = import_batch(db, is_first);
      if (!imported.is_ok()) return imported.with("committed_documents", committed_);
    }
    bar_.finish();
    return {};
  }

  Status print_summary() {
    Record record;
    record.add("documents", committed_).add("skipped", skipped_);
    if (settings_.batch != ~std::uint64_t{0}) record.add("commits", commits_);
    return console_.print(record);
  }

 private:
  // One transaction. The collection is made, or emptied, in the first one.
  Status import_batch(Database& db, bool is_first) {
    WriteTransaction txn = TRY(db.begin_write());
    DocumentWriter documents(txn);
    if (is_first) CHECK(prepare(documents));
    stored_ = 0;
    while (!is_over_ && stored_ < settings_.batch) {
      Result<std::optional<Document>> document = next_document();
      is_over_ = document.has_value() && !*document;
      if (document.has_value() && *document && waits(**std::move(document))) continue;
      CHECK(store_waiting(documents));
      if (!document.has_value()) CHECK(note_refusal(document.status(), decoder_.position()));
    }
    CHECK(commit_status(txn.commit()));
    committed_ += stored_;
    ++commits_;
    return {};
  }

  // Keeps the document; true when more should come before they are stored.
  bool waits(Document document) {
    waiting_bytes_ += document.bson().size();
    waiting_.push_back(std::move(document));
    positions_.push_back(decoder_.position());
    return waiting_.size() < std::min<std::uint64_t>(kDocumentsAtOnce, settings_.batch - stored_) &&
           waiting_bytes_ < kBytesAtOnce;
  }

  // All at once, and one by one when one of them is refused, to know which.
  Status store_waiting(DocumentWriter& documents) {
    const std::vector<Document> waiting = std::exchange(waiting_, {});
    const std::vector<std::uint64_t> positions = std::exchange(positions_, {});
    waiting_bytes_ = 0;
    Status all;
    if (!settings_.replaces_documents && waiting.size() > 1) {
      all = documents.insert_many(collection_, waiting).status();
      if (all.is_ok()) {
        stored_ += waiting.size();
        return {};
      }
    }
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      const Status one = store(documents, waiting[i]);
      if (one.code() == ErrorCode::TransactionFailed && !all.is_ok()) return all;
      if (one.is_ok()) {
        ++stored_;
      } else {
        CHECK(note_refusal(one, positions[i]));
      }
    }
    return {};
  }

  Status prepare(DocumentWriter& documents) const {
    if (settings_.replaces_collection) {
      const Status dropped = documents.drop_collection(collection_);
      if (dropped.code() != ErrorCode::CollectionNotFound) CHECK(dropped);
    }
    return documents.ensure_collection(collection_);
  }

  Status store(DocumentWriter& documents, const Document& document) const {
    if (settings_.replaces_documents) return documents.upsert(collection_, document).status();
    return documents.insert(collection_, document).status();
  }

  // Ok when the import goes on behind the document that was refused.
  Status note_refusal(const Status& status, std::uint64_t position) {
    const bool is_bson = settings_.decode.format == DocumentFormat::Bson;
    const Status placed = status.with(is_bson ? "document" : "line", position);
    if (settings_.on_error == OnError::Stop || !may_skip(status) || !decoder_.can_continue()) return placed;
    ++skipped_;
    if (settings_.on_error == OnError::Skip) return {};
    bar_.finish();
    console_.report(placed);
    return {};
  }

  Result<std::optional<Document>> next_document() {
    for (;;) {
      if (interrupt_requested()) return cancelled();
      Result<std::optional<Document>> document = decoder_.next();
      if (!document.has_value() || *document || is_read_) return document;
      CHECK(read_piece());
    }
  }

  Status read_piece() {
    piece_.resize(kFilePieceSize);
    const std::size_t size = TRY(input_.read(piece_.data(), piece_.size()));
    bytes_read_ += size;
    bar_.update({bytes_read_, input_size_.value_or(0), "bytes"});
    CHECK(decoder_.feed(Bytes(piece_.data(), size)));
    if (size < piece_.size()) {
      decoder_.end();
      is_read_ = true;
    }
    return {};
  }

  const ImportSettings settings_;
  const std::string collection_;
  DocumentDecoder decoder_;
  InputFile input_;
  const std::optional<std::uint64_t> input_size_;
  Console& console_;
  ProgressBar bar_;
  std::string piece_;
  std::uint64_t bytes_read_ = 0;
  bool is_read_ = false;  // to its end
  bool is_over_ = false;
  std::vector<Document> waiting_;         // to be stored
  std::vector<std::uint64_t> positions_;  // of them in the file
  std::size_t waiting_bytes_ = 0;
  std::uint64_t stored_ = 0;  // by this transaction
  std::uint64_t committed_ = 0, skipped_ = 0, commits_ = 0;
};

Result<ImportSettings> import_settings(const Arguments& arguments) {
  CHECK(arguments.at_most_one_of({"--replace", "--upsert"}));
  ImportSettings settings;
  settings.decode.format = TRY(format_argument(arguments));
  const std::string_view types = arguments.value("--types").value_or("bare");
  settings.decode.types = types == "all" ? CellTypes::All : types == "none" ? CellTypes::None : CellTypes::Bare;
  const std::string_view on_error = arguments.value("--on-error").value_or("stop");
  settings.on_error = on_error == "skip" ? OnError::Skip : on_error == "report" ? OnError::Report : OnError::Stop;
  settings.batch = TRY(arguments.number("--batch")).value_or(settings.batch);
  if (settings.batch == 0) return usage_error("--batch is at least 1");
  settings.replaces_collection = arguments.has("--replace");
  settings.replaces_documents = arguments.has("--upsert");
  return settings;
}

}  // namespace

Result<DocumentFormat> format_argument(const Arguments& arguments) {
  if (const auto name = arguments.value("--format")) {
    if (const auto format = document_format_of(std::string(".").append(*name))) return *format;
  } else if (const auto format = document_format_of(arguments.positional("FILE").value_or(""))) {
    return *format;
  }
  return usage_error("--format says what the name of the file does not");
}

Status import_documents(const Arguments& arguments, Console& console) {
  const ImportSettings settings = TRY(import_settings(arguments));
  InputFile input = TRY(InputFile::open(std::string(arguments.positional("FILE").value_or(""))));
  ImportTarget target = TRY(open_import_target(arguments));
  DocumentImport import(settings, std::string(*arguments.value("--collection")), std::move(input), console);
  CHECK(close_import_target(target, arguments, import.run(target.db)));
  return import.print_summary();
}

}  // namespace vitrine::cli
