// SPDX-License-Identifier: MIT OR Apache-2.0
// The public decoder and encoder: records from the splitter, each handed to the reader of its format.
#include "vitrine/document_files.hpp"

#include <algorithm>
#include <set>

#include "base/try.hpp"
#include "doc/csv.hpp"
#include "doc/document_maker.hpp"
#include "doc/json.hpp"
#include "doc/record_splitter.hpp"
#include "kv/safely.hpp"

namespace vitrine {
namespace {

char separator_of(DocumentFormat format) noexcept { return format == DocumentFormat::Tsv ? '\t' : ','; }

bool is_table(DocumentFormat format) noexcept { return format == DocumentFormat::Csv || format == DocumentFormat::Tsv; }

bool is_blank(Bytes text) noexcept { return text.find_first_not_of(" \t\r") == Bytes::npos; }

}  // namespace

std::optional<DocumentFormat> document_format_of(std::string_view path) noexcept {
  if (path.ends_with(".json")) return DocumentFormat::Json;
  if (path.ends_with(".ndjson") || path.ends_with(".jsonl")) return DocumentFormat::JsonLines;
  if (path.ends_with(".csv")) return DocumentFormat::Csv;
  if (path.ends_with(".tsv")) return DocumentFormat::Tsv;
  if (path.ends_with(".bson")) return DocumentFormat::Bson;
  return std::nullopt;
}

// --- Decoder ---------------------------------------------------------------------------------------------------------

struct DocumentDecoder::Impl {
  explicit Impl(const DecodeOptions& options)
      : format(options.format), splitter(options.format), table(separator_of(options.format), options.types) {}

  Result<std::optional<Document>> next() {
    for (;;) {
      const std::optional<Bytes> record = TRY(splitter.next());
      if (!record) return std::optional<Document>();
      if (format == DocumentFormat::Bson) return std::optional<Document>(TRY(Document::from_bson(*record)));
      if (is_table(format)) {
        if (record->empty() || *record == "\r") continue;
        if (table.has_names()) return std::optional<Document>(TRY(table.read(*record)));
        const Status taken = table.take_names(*record);
        has_no_names = !taken.is_ok();
        CHECK(taken);
      } else if (!is_blank(*record)) {
        return std::optional<Document>(doc::DocumentMaker::from_checked(TRY(json.read(*record))));
      }
    }
  }

  const DocumentFormat format;
  doc::RecordSplitter splitter;
  doc::CsvReader table;
  doc::JsonReader json;
  bool has_no_names = false;
};

DocumentDecoder::DocumentDecoder(const DecodeOptions& options) : impl_(std::make_unique<Impl>(options)) {}
DocumentDecoder::~DocumentDecoder() = default;
DocumentDecoder::DocumentDecoder(DocumentDecoder&&) noexcept = default;
DocumentDecoder& DocumentDecoder::operator=(DocumentDecoder&&) noexcept = default;

Status DocumentDecoder::feed(Bytes piece) {
  return kv::safely([&]() -> Status {
    impl_->splitter.feed(piece);
    return {};
  });
}

void DocumentDecoder::end() noexcept { impl_->splitter.end(); }

Result<std::optional<Document>> DocumentDecoder::next() {
  return kv::safely([&] { return impl_->next(); });
}

std::uint64_t DocumentDecoder::position() const noexcept { return impl_->splitter.position(); }

bool DocumentDecoder::can_continue() const noexcept { return impl_->splitter.can_continue() && !impl_->has_no_names; }

// --- Columns ---------------------------------------------------------------------------------------------------------

// A column that is a value in one document and an object in another one stays whole, as a value.
struct DocumentColumns::Impl {
  // True when `path` is a column now, so that what is inside it needs none.
  bool add(const std::string& path, const doc::Value& value) {
    if (known.contains(path)) return true;
    if (value.type == doc::Type::Object && doc::count_members(value.bytes) > 0) return false;
    const std::string inside = path + ".";
    for (auto old = known.lower_bound(inside); old != known.end() && old->starts_with(inside);) {
      names.erase(std::find(names.begin(), names.end(), *old));
      old = known.erase(old);
    }
    known.insert(path);
    names.push_back(path);
    return true;
  }

  std::vector<std::string> names;
  std::set<std::string, std::less<>> known;
};

DocumentColumns::DocumentColumns() : impl_(std::make_unique<Impl>()) {}
DocumentColumns::~DocumentColumns() = default;
DocumentColumns::DocumentColumns(DocumentColumns&&) noexcept = default;
DocumentColumns& DocumentColumns::operator=(DocumentColumns&&) noexcept = default;

Status DocumentColumns::add(const Document& document) {
  return kv::safely([&]() -> Status {
    doc::visit_leaves(document.bson(), [&](const std::string& path, const doc::Value& value) {
      return impl_->names.size() > doc::kCsvColumnsMax || impl_->add(path, value);
    });
    if (impl_->names.size() <= doc::kCsvColumnsMax) return {};
    return Status::error(ErrorCode::DocumentMalformed, "the documents have more than 10000 columns");
  });
}

const std::vector<std::string>& DocumentColumns::names() const noexcept { return impl_->names; }

// --- Encoder ---------------------------------------------------------------------------------------------------------

struct DocumentEncoder::Impl {
  explicit Impl(EncodeOptions options)
      : format(options.format), form(options.form), table(separator_of(format), std::move(options.columns)) {}

  const DocumentFormat format;
  const JsonForm form;
  const doc::CsvWriter table;
  bool is_first = true;
};

DocumentEncoder::DocumentEncoder(EncodeOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
DocumentEncoder::~DocumentEncoder() = default;
DocumentEncoder::DocumentEncoder(DocumentEncoder&&) noexcept = default;
DocumentEncoder& DocumentEncoder::operator=(DocumentEncoder&&) noexcept = default;

void DocumentEncoder::append_head(std::string& to) {
  if (impl_->format == DocumentFormat::Json) to.append("[");
  if (is_table(impl_->format)) impl_->table.append_names(to);
}

void DocumentEncoder::append(std::string& to, const Document& document) {
  if (impl_->format == DocumentFormat::Bson) {
    to.append(document.bson());
  } else if (is_table(impl_->format)) {
    impl_->table.append(to, document.bson());
  } else {
    if (impl_->format == DocumentFormat::Json) to.append(impl_->is_first ? "\n" : ",\n");
    doc::append_json(to, document.bson(), impl_->form);
    if (impl_->format == DocumentFormat::JsonLines) to.push_back('\n');
  }
  impl_->is_first = false;
}

void DocumentEncoder::append_tail(std::string& to) {
  if (impl_->format == DocumentFormat::Json) to.append("\n]\n");
}

}  // namespace vitrine
