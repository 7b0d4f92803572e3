// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/view_panel.hpp"

#include <algorithm>
#include <map>

#include "base/try.hpp"
#include "cli/value_text.hpp"
#include "cli/values.hpp"

namespace vitrine::cli::view {

std::optional<Status> Panel::find_key(const Looker&, const std::string&) { return std::nullopt; }
bool Panel::turn_over(bool) { return false; }

inspect::Request request_of(inspect::View view, std::string from, std::uint64_t limit) {
  inspect::Request request;
  request.view = view;
  request.from = std::move(from);
  request.limit = std::max<std::uint64_t>(limit, 1);
  request.disclosure = inspect::Disclosure::Values;
  return request;
}

Result<std::uint64_t> page_number(const std::string& text) {
  const Result<std::uint64_t> number = parse_number(text);
  if (!number.has_value()) return Status::error(ErrorCode::ArgumentInvalid, "a number is needed here");
  return *number;
}

// --- Lists -----------------------------------------------------------------------------------------------------------

Status ListPanel::load(const Looker& look, Size body, bool mark) {
  std::map<std::string, std::string> before;
  if (mark) {
    for (const Row& row : rows_) before.emplace(row.id, row.text);
  }
  last_body_ = body;
  rows_.clear();
  head_.clear();
  changes_ = 0;
  CHECK(fetch(look, body));
  if (selected_ >= rows_.size()) selected_ = rows_.empty() ? 0 : rows_.size() - 1;
  move(0, body);
  if (!mark) return {};
  for (Row& row : rows_) {
    const auto found = before.find(row.id);
    row.is_changed = found == before.end() || found->second != row.text;
    changes_ += row.is_changed ? 1 : 0;
  }
  return {};
}

Lines ListPanel::draw(Size body) const {
  Lines lines;
  for (const std::string& line : head_) lines.push_back({{clipped(line, body.columns), Style::Dim}});
  for (std::size_t i = top_; i < rows_.size() && lines.size() < body.rows; ++i) {
    const Row& row = rows_[i];
    const bool is_selected = i == selected_;
    const std::string mark = std::string(is_selected ? ">" : " ") + (row.is_changed ? "*" : " ");
    const Style style = is_selected ? Style::Selected : row.is_changed ? Style::Changed : row.style;
    lines.push_back({{padded(mark + row.text, body.columns), style}});
  }
  return lines;
}

// True when the end of the rows was passed.
bool ListPanel::move(std::ptrdiff_t by, Size body) {
  const auto count = static_cast<std::ptrdiff_t>(rows_.size());
  const std::ptrdiff_t wanted = static_cast<std::ptrdiff_t>(selected_) + by;
  const std::ptrdiff_t place = std::clamp<std::ptrdiff_t>(wanted, 0, std::max<std::ptrdiff_t>(count - 1, 0));
  selected_ = static_cast<std::size_t>(place);
  if (selected_ < top_) top_ = selected_;
  if (selected_ >= top_ + room(body)) top_ = selected_ + 1 - room(body);
  return wanted != place;
}

bool ListPanel::handle(const Input& input, Size body) {
  using Kind = Input::Kind;
  const auto page = static_cast<std::ptrdiff_t>(room(body));
  std::ptrdiff_t by = 0;
  switch (input.kind) {
    case Kind::Up:
    case Kind::WheelUp:
      by = -1;
      break;
    case Kind::Down:
    case Kind::WheelDown:
      by = 1;
      break;
    case Kind::PageUp:
      by = -page;
      break;
    case Kind::PageDown:
      by = page;
      break;
    case Kind::Home:
      select_first();
      return false;
    case Kind::End:
      by = static_cast<std::ptrdiff_t>(rows_.size());
      move(by, body);
      return false;
    case Kind::Click:
      if (input.row < head_.size() || top_ + input.row - head_.size() >= rows_.size()) return false;
      selected_ = top_ + input.row - head_.size();
      return false;
    default:
      return false;
  }
  if (!move(by, body) || !turn_over(by > 0)) return false;
  selected_ = by > 0 ? 0 : ~std::size_t{0};  // load() brings it inside
  top_ = 0;
  return true;
}

Status ListPanel::go_to(const std::string&) {
  return Status::error(ErrorCode::ArgumentInvalid, "there is nothing to jump to here");
}

std::optional<Visit> ListPanel::visit() const {
  return selected_ < rows_.size() ? rows_[selected_].visit : std::nullopt;
}

bool ListPanel::find_next(const std::string& text, bool forward) {
  const std::size_t count = rows_.size();
  for (std::size_t i = selected_; forward ? ++i < count : i-- > 0;) {
    if (rows_[i].text.find(text) == std::string::npos) continue;
    move(static_cast<std::ptrdiff_t>(i) - static_cast<std::ptrdiff_t>(selected_), last_body_);
    return true;
  }
  return false;
}

// --- Windows ---------------------------------------------------------------------------------------------------------

bool WindowPanel::turn_over(bool forward) {
  if (forward) {
    if (!next_) return false;
    go_on_at(*next_);
    return true;
  }
  if (starts_.size() == 1) return false;
  starts_.pop_back();
  return true;
}

void WindowPanel::start_at(std::string from) {
  starts_ = {std::move(from)};
  select_first();
}

void WindowPanel::take_next(const inspect::Value& payload) {
  const inspect::Value* const next = payload.find("next");
  next_ = next != nullptr && !next->is_null() ? std::optional(value_text(next)) : std::nullopt;
}

Result<inspect::Value> WindowPanel::look_on(const Looker& look, inspect::View view, Size body, std::size_t head) {
  next_.reset();
  inspect::Value payload = TRY(look(request_of(view, from(), body.rows > head ? body.rows - head : 1)));
  take_next(payload);
  return payload;
}

Status WindowPanel::go_to(const std::string& where) {
  CHECK(page_number(where).status());
  start_at("");
  go_on_at(where);
  return {};
}

}  // namespace vitrine::cli::view
