// SPDX-License-Identifier: MIT OR Apache-2.0
// `insert`: one document from the command line, or one a line from standard input, all in one transaction. Ids are
// printed once the commit is durable.
#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"
#include "cli/document_access.hpp"
#include "cli/file_stream.hpp"
#include "cli/secrets.hpp"
#include "cli/terminal.hpp"

namespace vitrine::cli {
namespace {

// The most verbose JSON of a document of 16 MiB is still below this.
constexpr std::size_t kDocumentLineMax = std::size_t{256} << 20;

class Insertion {
 public:
  Insertion(DocumentWriter& documents, std::string collection, const Console& console)
      : documents_(documents), collection_(std::move(collection)), json_(console.json()) {}

  Status insert(const Document& document) {
    const DocumentId id = TRY(documents_.insert(collection_, document));
    output_.append(json_ ? "{\"_id\":" + id_json(id) + "}" : id_json(id)).push_back('\n');
    return {};
  }

  Status insert_lines(InputFile& input) {
    std::string line;
    for (std::uint64_t number = 1;; ++number) {
      if (interrupt_requested()) return cancelled();
      Result<bool> read = input.read_line(line, kDocumentLineMax);
      if (!read.has_value()) return read.status().with("line", number);
      if (!*read) return {};
      if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
      Status inserted = insert_line(line);
      if (!inserted.is_ok()) return inserted.with("line", number);
    }
  }

  const std::string& output() const noexcept { return output_; }

 private:
  Status insert_line(const std::string& line) { return insert(TRY(Document::from_json(line))); }

  DocumentWriter& documents_;
  const std::string collection_;
  const bool json_;
  std::string output_;
};

}  // namespace

Status run_insert(const Arguments& arguments, Console& console) {
  const bool is_one = arguments.positional("JSON").has_value();
  if (!is_one && is_terminal(Stream::Input)) return usage_error("insert needs JSON, or documents on standard input");
  const Document one = TRY(document_argument(arguments, "JSON"));
  Secret secret = TRY(secret_argument(arguments));  // stands before the documents on standard input
  InputFile input = TRY(InputFile::open("-"));
  const OpenMode mode = arguments.has("--create") ? OpenMode::CreateIfMissing : OpenMode::MustExist;
  Database db = TRY(open_database_as(arguments, mode, std::move(secret)));
  std::string output;
  const Status written = write_documents(db, [&](DocumentWriter& documents) -> Status {
    const std::string collection = collection_argument(arguments);
    CHECK(documents.ensure_collection(collection));
    Insertion insertion(documents, collection, console);
    CHECK(is_one ? insertion.insert(one) : insertion.insert_lines(input));
    output = insertion.output();
    return {};
  });
  CHECK(written);
  CHECK(db.close());
  return console.write(output);
}

}  // namespace vitrine::cli
