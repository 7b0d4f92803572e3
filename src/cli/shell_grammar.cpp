// SPDX-License-Identifier: MIT OR Apache-2.0
// One pass over the text, driven by three tables of names.
#include "cli/shell_grammar.hpp"

#include <algorithm>
#include <array>

#include "base/try.hpp"
#include "cli/arguments.hpp"
#include "vitrine/relaxed_json.hpp"

namespace vitrine::cli {
namespace {

struct Method {
  std::string_view name;
  ShellVerb verb;
  std::size_t least, most;  // arguments
};

constexpr std::array kDatabaseMethods{
    Method{"createCollection", ShellVerb::CreateCollection, 1, 1},
    Method{"dropCollection", ShellVerb::DropCollection, 1, 1},
    Method{"renameCollection", ShellVerb::RenameCollection, 2, 2},
    Method{"collections", ShellVerb::Collections, 0, 0},
    Method{"stats", ShellVerb::Stats, 0, 0},
    Method{"compact", ShellVerb::Compact, 0, 0},
    Method{"keepChanges", ShellVerb::KeepChanges, 1, 1},
    Method{"watch", ShellVerb::Watch, 0, 1},
    Method{"flush", ShellVerb::Flush, 0, 0},
};

constexpr std::array kCollectionMethods{
    Method{"insert", ShellVerb::Insert, 1, 1},
    Method{"insertOne", ShellVerb::Insert, 1, 1},
    Method{"insertMany", ShellVerb::Insert, 1, 1},
    Method{"get", ShellVerb::Get, 1, 1},
    Method{"find", ShellVerb::Find, 0, 2},
    Method{"findOne", ShellVerb::FindOne, 0, 2},
    Method{"update", ShellVerb::Update, 2, 2},
    Method{"updateOne", ShellVerb::Update, 2, 2},
    Method{"updateMany", ShellVerb::UpdateMany, 2, 2},
    Method{"upsert", ShellVerb::Upsert, 1, 2},
    Method{"replace", ShellVerb::Replace, 2, 2},
    Method{"delete", ShellVerb::Delete, 1, 1},
    Method{"remove", ShellVerb::Delete, 1, 1},
    Method{"count", ShellVerb::Count, 0, 1},
    Method{"distinct", ShellVerb::Distinct, 1, 2},
    Method{"createIndex", ShellVerb::CreateIndex, 2, 3},
    Method{"dropIndex", ShellVerb::DropIndex, 1, 1},
    Method{"indexes", ShellVerb::Indexes, 0, 0},
    Method{"query", ShellVerb::Query, 2, 2},
    Method{"queryRange", ShellVerb::QueryRange, 3, 3},
    Method{"resolve", ShellVerb::Resolve, 1, 1},
    Method{"resolveDeep", ShellVerb::ResolveDeep, 1, 2},
    Method{"compact", ShellVerb::Compact, 0, 0},
    Method{"stats", ShellVerb::CollectionStats, 0, 0},
    Method{"watch", ShellVerb::WatchCollection, 0, 1},
    Method{"drop", ShellVerb::Drop, 0, 0},
};

constexpr std::array kChain{
    Method{"sort", ShellVerb::Find, 1, 1},    Method{"skip", ShellVerb::Find, 1, 1},
    Method{"limit", ShellVerb::Find, 1, 1},   Method{"count", ShellVerb::Find, 0, 0},
    Method{"project", ShellVerb::Find, 1, 1}, Method{"explain", ShellVerb::Find, 0, 0},
};

// Words that stand at the beginning of a statement, in the spelling that completion offers.
struct Word {
  std::string_view name;
  ShellVerb verb;
};
constexpr std::array kWords{
    Word{"use", ShellVerb::Use},           Word{"help", ShellVerb::Help},      Word{"exit", ShellVerb::Exit},
    Word{"quit", ShellVerb::Exit},         Word{"begin", ShellVerb::Begin},    Word{"commit", ShellVerb::Commit},
    Word{"rollback", ShellVerb::Rollback}, Word{"SET", ShellVerb::Set},        Word{"GET", ShellVerb::GetKey},
    Word{"DELETE", ShellVerb::DeleteKey},  Word{"KEYS", ShellVerb::Keys},      Word{"COUNT", ShellVerb::CountKeys},
    Word{"INDEX", ShellVerb::IndexField},  Word{"FIND", ShellVerb::FindField},
};

char lower(char character) noexcept {
  return character >= 'A' && character <= 'Z' ? static_cast<char>(character - 'A' + 'a') : character;
}

bool same_word(std::string_view left, std::string_view right) noexcept {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

bool is_name_part(char character) noexcept {
  const char small = lower(character);
  return (small >= 'a' && small <= 'z') || (character >= '0' && character <= '9') || character == '_' ||
         character == '$' || static_cast<unsigned char>(character) >= 0x80;
}

template <std::size_t N>
const Method* find_method(const std::array<Method, N>& methods, std::string_view name) noexcept {
  const auto found = std::find_if(methods.begin(), methods.end(), [&](const Method& m) { return m.name == name; });
  return found == methods.end() ? nullptr : &*found;
}

template <typename Rows>
std::vector<std::string_view> names_of(const Rows& rows) {
  std::vector<std::string_view> names;
  for (const auto& row : rows) names.push_back(row.name);
  return names;
}

std::string unknown(std::string_view kind, std::string_view name, const std::vector<std::string_view>& known) {
  std::string sentence = std::string("there is no ").append(kind).append(" ").append(name);
  if (const auto meant = closest_name(name, known)) sentence.append("; did you mean ").append(*meant).append("?");
  return sentence;
}

}  // namespace

std::vector<std::string_view> shell_words() {
  std::vector<std::string_view> words = names_of(kWords);
  words.insert(words.end(), {"db", "explain"});
  return words;
}
std::vector<std::string_view> shell_database_methods() { return names_of(kDatabaseMethods); }
std::vector<std::string_view> shell_collection_methods() { return names_of(kCollectionMethods); }
std::vector<std::string_view> shell_chain_names() { return names_of(kChain); }

std::optional<std::string> text_of_json(std::string_view json) {
  const Result<Document> holder = Document::from_json(std::string("{\"n\":").append(json).append("}"));
  if (!json.starts_with('"') || !holder.has_value()) return std::nullopt;
  // BSON of {"n": text}: size (4), type, "n" and its end (2), length (4), text, two ends.
  constexpr std::size_t kHead = 11, kTail = 2;
  return std::string(holder->bson().substr(kHead, holder->bson().size() - kHead - kTail));
}

// --- Positions and blanks --------------------------------------------------------------------------------------------

Status ShellParser::placed(const Status& status, std::size_t at) const {
  const std::string_view before = text_.substr(0, std::min(at, text_.size()));
  const auto line = static_cast<std::uint64_t>(std::count(before.begin(), before.end(), '\n')) + first_line_;
  const std::size_t newline = before.rfind('\n');
  const std::size_t column = before.size() - (newline == std::string_view::npos ? 0 : newline + 1) + 1;
  return status.with("line", line).with("column", column);
}

Status ShellParser::wrong(std::string_view why, std::size_t at) const {
  const Status status = placed(usage_error(why), at);
  return at < text_.size() ? status : status.with("ends", "early");
}

void ShellParser::skip_blanks() noexcept { at_ = std::min(text_.find_first_not_of(" \t\r", at_), text_.size()); }

void ShellParser::skip_all_blanks() noexcept { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

bool ShellParser::take_word(std::string_view expected) noexcept {
  const std::size_t start = at_;
  skip_blanks();
  if (same_word(take_name(), expected)) return true;
  at_ = start;
  return false;
}

bool ShellParser::take(char expected) noexcept {
  if (at_ == text_.size() || text_[at_] != expected) return false;
  ++at_;
  return true;
}

std::string_view ShellParser::take_name() noexcept {
  const std::size_t start = at_;
  while (at_ < text_.size() && is_name_part(text_[at_])) ++at_;
  return text_.substr(start, at_ - start);
}

// --- Statements ------------------------------------------------------------------------------------------------------

Result<std::optional<ShellStatement>> ShellParser::next() {
  for (;;) {
    skip_all_blanks();
    if (take(';')) continue;
    if (!text_.substr(at_).starts_with("//")) break;
    at_ = std::min(text_.find('\n', at_), text_.size());
  }
  if (at_ == text_.size()) return std::optional<ShellStatement>();
  Result<ShellStatement> result = statement();
  Status status = result.status();
  if (status.is_ok()) status = check_end();
  if (status.is_ok()) return std::optional<ShellStatement>(*std::move(result));
  at_ = text_.size();
  return status;
}

Status ShellParser::check_end() {
  skip_blanks();
  if (at_ == text_.size() || text_[at_] == ';' || text_[at_] == '\n') return {};
  return wrong("a statement ends with ; or a new line", at_);
}

Result<ShellStatement> ShellParser::statement() {
  const std::size_t start = at_;
  const std::string_view word = take_name();
  if (word == "db") return database_statement(start);
  if (!same_word(word, "explain")) return word_statement(word, start);
  skip_blanks();
  if (take_name() != "db") return wrong("explain goes before db", start);
  ShellStatement explained = TRY(database_statement(start));
  const bool has_plan = explained.verb == ShellVerb::Find || explained.verb == ShellVerb::FindOne;
  if (!has_plan) return placed(usage_error("explain goes with find"), start);
  explained.explains = true;
  return explained;
}

// Names behind `db`: .a.b["odd name"]
Result<std::vector<std::string>> ShellParser::take_path() {
  std::vector<std::string> path;
  for (;;) {
    if (take('[')) {
      path.push_back(TRY(take_bracketed_name()));
    } else if (take('.')) {
      const std::size_t start = at_;
      path.emplace_back(take_name());
      if (path.back().empty()) return wrong("a name is missing", start);
    } else {
      return path;
    }
  }
}

Result<std::string> ShellParser::take_bracketed_name() {
  const ShellArgument name = TRY(take_value());
  std::optional<std::string> text = text_of_json(name.json);
  if (!text) return wrong("the name of a collection is a text", name.position);
  skip_blanks();
  if (!take(']')) return wrong("a bracket is not closed", at_);
  return *std::move(text);
}

Result<ShellStatement> ShellParser::database_statement(std::size_t start) {
  std::vector<std::string> path = TRY(take_path());
  if (path.empty()) return wrong("db is followed by . and a name", at_);
  ShellStatement statement;
  statement.position = start;
  const std::string name = std::move(path.back());
  path.pop_back();
  for (const std::string& part : path) {
    statement.collection.append(statement.collection.empty() ? "" : ".").append(part);
  }
  skip_blanks();
  const Method* const method =
      path.empty() ? find_method(kDatabaseMethods, name) : find_method(kCollectionMethods, name);
  if (method == nullptr) {
    const bool may_be_cut = path.empty() && at_ == text_.size();
    const auto known = path.empty() ? shell_database_methods() : shell_collection_methods();
    const std::string_view kind = path.empty() ? "method of db" : "method";
    return placed(usage_error(may_be_cut ? "a method of the collection is missing" : unknown(kind, name, known)),
                  start);
  }
  if (!take('(')) return wrong("a bracket is missing behind the name of a method", at_);
  CHECK(take_arguments(statement.arguments));
  const std::size_t count = statement.arguments.size();
  if (count < method->least || count > method->most) {
    return placed(usage_error(name + (count < method->least ? " needs more arguments" : " has too many arguments")),
                  start);
  }
  statement.verb = method->verb;
  CHECK(take_chain(statement));
  return statement;
}

// From behind the opening bracket to behind the closing one.
Status ShellParser::take_arguments(std::vector<ShellArgument>& arguments) {
  for (;;) {
    skip_all_blanks();
    if (take(')')) return {};
    if (!arguments.empty()) {
      if (!take(',')) return wrong("a comma or a closing bracket is missing", at_);
      skip_all_blanks();
      if (take(')')) return {};
    }
    arguments.push_back(TRY(take_value()));
  }
}

Status ShellParser::take_chain(ShellStatement& statement) {
  for (;;) {
    const std::size_t end = at_;
    skip_all_blanks();
    if (!take('.')) {
      at_ = end;  // the new line ends the statement
      return {};
    }
    const std::size_t start = at_;
    ShellCall call{std::string(take_name()), {}, start};
    const Method* const method = find_method(kChain, call.name);
    if (statement.verb != ShellVerb::Find || method == nullptr) {
      return wrong(unknown("method of a result", call.name, shell_chain_names()), start);
    }
    skip_blanks();
    if (!take('(')) return wrong("a bracket is missing behind the name of a method", at_);
    CHECK(take_arguments(call.arguments));
    const std::size_t count = call.arguments.size();
    if (count < method->least || count > method->most) {
      return placed(usage_error(call.name + " has another number of arguments"), start);
    }
    statement.chain.push_back(std::move(call));
  }
}

Result<ShellStatement> ShellParser::word_statement(std::string_view word, std::size_t start) {
  const auto found = std::find_if(kWords.begin(), kWords.end(), [&](const Word& w) { return same_word(w.name, word); });
  if (found == kWords.end()) {
    if (word.empty()) return placed(usage_error("not a statement"), start);
    return placed(usage_error(unknown("statement", word, shell_words())), start);
  }
  return key_statement(found->verb, start);
}

// What stands behind a word: keys, values, nothing.
Result<ShellStatement> ShellParser::key_statement(ShellVerb verb, std::size_t start) {
  ShellStatement statement;
  statement.verb = verb;
  statement.position = start;
  const bool takes_key = verb == ShellVerb::Use || verb == ShellVerb::Set || verb == ShellVerb::GetKey ||
                         verb == ShellVerb::DeleteKey || verb == ShellVerb::IndexField || verb == ShellVerb::FindField;
  const bool takes_value = verb == ShellVerb::Set || verb == ShellVerb::FindField;
  if (takes_key) statement.arguments.push_back(TRY(take_key()));
  if (takes_value) statement.arguments.push_back(TRY(take_value()));
  if (verb == ShellVerb::Set && take_word("EX")) statement.arguments.push_back(TRY(take_value()));
  return statement;
}

// --- Values ----------------------------------------------------------------------------------------------------------

Result<ShellArgument> ShellParser::take_value() {
  skip_blanks();
  const std::size_t start = at_;
  Result<JsonValueText> value = take_relaxed_json(text_.substr(at_));
  if (value.has_value()) {
    at_ += value->size;
    return ShellArgument{std::move(value->json), start};
  }
  const Status refused = value.status();
  std::size_t offset = 0;
  for (const char digit : refused.detail("offset")) offset = offset * 10 + static_cast<std::size_t>(digit - '0');
  const Status status = placed(Status::error(refused.code(), refused.message()), start + offset);
  return refused.detail("ends").empty() ? status : status.with("ends", "early");
}

// A text in quotes, or everything up to the next blank or semicolon.
Result<ShellArgument> ShellParser::take_key() {
  skip_blanks();
  if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) return take_value();
  const std::size_t start = at_;
  at_ = std::min(text_.find_first_of(" \t\r\n;", at_), text_.size());
  if (at_ == start) return placed(usage_error("a key or a name is missing"), start);
  std::string json = "\"";
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  for (const char character : text_.substr(start, at_ - start)) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 0x20) {
      json.append("\\u00").append({kHexDigits[byte >> 4], kHexDigits[byte & 15]});
      continue;
    }
    if (character == '"' || character == '\\') json.push_back('\\');
    json.push_back(character);
  }
  return ShellArgument{json.append("\""), start};
}

}  // namespace vitrine::cli
