// SPDX-License-Identifier: MIT OR Apache-2.0
// `inspect`, `hex`: a file as data. Text shows what JSON shows.
#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"
#include "vitrine/inspect.hpp"

namespace vitrine::cli {
namespace {

using inspect::Value;

std::string scalar_text(const Value& value) {
  if (const auto* text = value.text()) return encoded(*text, Encoding::Text);
  return value.is_null() ? "-" : inspect::to_json(value);
}

// One line for a row of a list: name=value, nested values as JSON.
std::string row_text(const Value& row) {
  const auto* const members = row.members();
  if (members == nullptr) return scalar_text(row);
  std::string line;
  for (const inspect::Member& member : *members) {
    if (!line.empty()) line.push_back(' ');
    line.append(member.name).append("=").append(scalar_text(member.value));
  }
  return line;
}

void append_text(std::string& to, const Value& value, std::size_t indent) {
  for (const inspect::Member& member : *value.members()) {
    to.append(indent, ' ').append(member.name);
    const auto* const list = member.value.list();
    if (member.value.is_object()) {
      to.push_back('\n');
      append_text(to, member.value, indent + 2);
    } else if (list != nullptr) {
      to.append(list->empty() ? "  none\n" : "\n");
      for (const Value& row : *list) to.append(indent + 2, ' ').append(row_text(row)).append("\n");
    } else {
      to.append("  ").append(scalar_text(member.value)).append("\n");
    }
  }
}

struct Target {
  inspect::Request request;
  std::string database;
};

// `inspect VIEW DB`, but `inspect page N DB`.
Result<Target> target_of(const Arguments& arguments) {
  const std::string_view name = arguments.positional("VIEW").value_or("");
  const std::optional<inspect::View> view = inspect::view_named(name);
  if (!view) {
    return usage_error("VIEW is one of header, pages, page, log, tree, keys, catalog, space, snapshots, cache, health");
  }
  Target target;
  target.request.view = *view;
  target.request.disclosure = disclosure_of(arguments);
  if (const auto limit = TRY(arguments.number("--limit"))) target.request.limit = *limit;
  if (target.request.limit == 0) return usage_error("--limit must be at least 1");
  target.request.from = arguments.value("--from").value_or("");
  const std::optional<std::string_view> last = arguments.positional("DB");
  const std::string_view first = arguments.positional("N|DB").value_or("");
  if ((*view == inspect::View::Page) != last.has_value()) {
    return usage_error(*view == inspect::View::Page ? "page needs a number and DB: inspect page N DB"
                                                    : "this view takes DB alone");
  }
  if (*view == inspect::View::Page) target.request.from = first;
  target.database = last ? *last : first;
  return target;
}

// The bytes of one field, 16 a line, with their offsets.
void append_bytes(std::string& to, std::string_view hex, std::uint64_t offset, std::uint64_t size) {
  constexpr std::uint64_t kPerLine = 16;
  for (std::uint64_t at = offset; at < offset + size && at * 2 < hex.size(); at += kPerLine) {
    std::array<char, 24> place{};
    std::snprintf(place.data(), place.size(), "  %8llx  ", static_cast<unsigned long long>(at));
    to.append(place.data());
    for (std::uint64_t i = at; i < std::min(at + kPerLine, offset + size); ++i) {
      to.append(hex.substr(i * 2, 2)).append(" ");
    }
    to.push_back('\n');
  }
}

std::string hex_text(const Value& page) {
  std::string text = "page " + scalar_text(*page.find("page")) + ", " + *page.find("integrity")->text() + ", at byte " +
                     scalar_text(*page.find("offset")) + "\n";
  const std::string& hex = *page.find("bytes")->text();
  std::uint64_t end = 0;
  const auto append_gap = [&](std::uint64_t to) {
    if (to <= end) return;
    text.append("unused or not described\n");
    append_bytes(text, hex, end, to - end);
  };
  for (const Value& field : *page.find("fields")->list()) {
    const std::uint64_t offset = *field.find("offset")->number(), size = *field.find("size")->number();
    append_gap(offset);
    text.append(*field.find("name")->text());
    if (!field.find("value")->is_null()) text.append(" = ").append(*field.find("value")->text());
    text.append("  (").append(*field.find("meaning")->text()).append(")\n");
    append_bytes(text, hex, offset, size);
    end = std::max(end, offset + size);
  }
  append_gap(hex.size() / 2);
  return text;
}

Result<Value> look(const std::string& path, const inspect::Request& request, const Arguments& arguments) {
  return with_secret(TRY(secret_options(arguments)),
                     [&](const Options& options) { return inspect::look(path, request, options); });
}

}  // namespace

inspect::Disclosure disclosure_of(const Arguments& arguments) noexcept {
  const std::optional<std::string_view> name = arguments.value("--show");
  if (!name) return inspect::Disclosure::Automatic;
  if (name == "structure") return inspect::Disclosure::Structure;
  return name == "values" ? inspect::Disclosure::Values : inspect::Disclosure::Keys;
}

Status run_inspect(const Arguments& arguments, Console& console) {
  const Target target = TRY(target_of(arguments));
  const Result<Value> payload = look(target.database, target.request, arguments);
  const std::string command = "inspect " + std::string(inspect::view_name(target.request.view));
  CHECK(console.answer(command, payload));
  if (console.json()) return {};
  std::string text;
  append_text(text, *payload, 0);
  return console.write(text);
}

Status run_hex(const Arguments& arguments, Console& console) {
  const std::optional<std::string_view> page = arguments.value("--page");
  if (!page) return usage_error("hex needs --page N");
  inspect::Request request;
  request.view = inspect::View::Page;
  request.from = *page;
  request.disclosure = inspect::Disclosure::Values;
  const Result<Value> payload = look(arguments.database(), request, arguments);
  CHECK(console.answer("hex", payload));
  return console.json() ? Status{} : console.write(hex_text(*payload));
}

}  // namespace vitrine::cli
