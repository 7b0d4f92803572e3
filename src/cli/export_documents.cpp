// SPDX-License-Identifier: MIT OR Apache-2.0
// `export --collection`: the documents of one moment, to a file or to standard output. CSV needs its columns before its
// first row, so without --fields the documents are read twice.
#include "base/try.hpp"
#include "cli/database_access.hpp"
#include "cli/document_access.hpp"
#include "cli/file_stream.hpp"
#include "cli/terminal.hpp"
#include "cli/transfer_documents.hpp"

namespace vitrine::cli {
namespace {

constexpr std::size_t kWriteSize = 256 * 1024;

class DocumentExport {
 public:
  DocumentExport(const DocumentReader& documents, std::string collection, Document filter, Console& console)
      : documents_(documents), collection_(std::move(collection)), filter_(std::move(filter)), console_(console) {}

  Result<std::vector<std::string>> columns() {
    DocumentColumns columns;
    CHECK(visit("columns", [&](const Document& document) { return columns.add(document); }));
    return columns.names();
  }

  // `file`: standard output without.
  Status write(DocumentEncoder encoder, OutputFile* file) {
    std::string text;
    const auto flush = [&](std::size_t at_least) -> Status {
      if (text.size() < at_least) return {};
      bytes_ += text.size();
      CHECK(file == nullptr ? console_.write(text) : file->write(text));
      text.clear();
      return {};
    };
    encoder.append_head(text);
    CHECK(visit("export", [&](const Document& document) {
      encoder.append(text, document);
      return flush(kWriteSize);
    }));
    encoder.append_tail(text);
    CHECK(flush(0));
    return file == nullptr ? Status{} : file->close();
  }

  Status print_summary() const {
    return console_.print(Record{}.add("documents", count_).add("written_bytes", bytes_));
  }

 private:
  template <typename Visit>
  Status visit(std::string title, const Visit& visit_document) {
    ProgressBar bar(std::move(title), console_.progress());
    const std::uint64_t total = TRY(documents_.count(collection_));
    Status failed;
    count_ = 0;
    FindOptions options;
    options.steps_max = ~std::uint64_t{0};
    TRY(documents_.find(collection_, filter_, options, [&](const StoredDocument& found) {
      bar.update({++count_, total, "documents"});
      failed = interrupt_requested() ? cancelled() : visit_document(found.document);
      return failed.is_ok();
    }));
    return failed;
  }

  const DocumentReader& documents_;
  const std::string collection_;
  const Document filter_;
  Console& console_;
  std::uint64_t count_ = 0, bytes_ = 0;
};

std::vector<std::string> split_names(std::string_view list) {
  std::vector<std::string> names;
  for (;;) {
    const std::size_t comma = std::min(list.find(','), list.size());
    names.emplace_back(list.substr(0, comma));
    if (comma == list.size()) return names;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

Status export_documents(const Arguments& arguments, Console& console) {
  EncodeOptions options{.format = TRY(format_argument(arguments)), .columns = {}};
  options.form = arguments.has("--canonical") ? JsonForm::Canonical : JsonForm::Relaxed;
  const bool is_table = options.format == DocumentFormat::Csv || options.format == DocumentFormat::Tsv;
  if (arguments.has("--fields") && !is_table) return usage_error("--fields goes with CSV and TSV");
  const std::string path(arguments.positional("FILE").value_or(""));
  Document filter = TRY(document_option(arguments, "--filter"));
  const Database db = TRY(open_database(arguments, Access::ReadOnly));
  if (!arguments.has("--plaintext") && !TRY(db.info()).cipher.empty()) {
    return Status::error(ErrorCode::PlaintextRefused);
  }
  const ReadTransaction txn = TRY(db.begin_read());
  const DocumentReader documents(txn);
  DocumentExport writer(documents, std::string(*arguments.value("--collection")), std::move(filter), console);
  if (const auto fields = arguments.value("--fields")) {
    options.columns = split_names(*fields);
  } else if (is_table) {
    options.columns = TRY(writer.columns());
  }
  DocumentEncoder encoder(std::move(options));
  if (path == "-") return writer.write(std::move(encoder), nullptr);
  OutputFile file = TRY(OutputFile::create_new(path));
  CHECK(writer.write(std::move(encoder), &file));
  return writer.print_summary();
}

}  // namespace vitrine::cli
