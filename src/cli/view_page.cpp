// SPDX-License-Identifier: MIT OR Apache-2.0
// One page: what it is, and all its bytes with the field that they belong to.
#include <algorithm>
#include <cstdio>

#include "base/try.hpp"
#include "cli/value_text.hpp"
#include "cli/view_panel.hpp"

namespace vitrine::cli::view {
namespace {

using inspect::Value;

constexpr std::uint64_t kPerRow = 16;

int digit_of(char c) noexcept { return c <= '9' ? c - '0' : c - 'a' + 10; }

// "  1c0  6b 65 79 ...  key..."
std::string bytes_text(std::string_view hex, std::uint64_t begin, std::uint64_t end) {
  char place[24];
  std::snprintf(place, sizeof place, "%8llx  ", static_cast<unsigned long long>(begin));
  std::string text = place, shown;
  for (std::uint64_t at = begin; at < end; ++at) {
    const std::string_view pair = hex.substr(at * 2, 2);
    text.append(pair).push_back(' ');
    const int byte = digit_of(pair[0]) * 16 + digit_of(pair[1]);
    shown.push_back(byte >= 0x20 && byte < 0x7f ? static_cast<char>(byte) : '.');
  }
  return padded(text, 10 + kPerRow * 3 + 1) + shown;
}

std::string parent_text(const Value& page) {
  const Value* const parent = page.find("pointed_to_by");
  if (parent == nullptr || parent->is_null()) {
    const bool is_value = member_text(page, "type").starts_with("extent");
    return is_value ? "a value, if it is in use; verify --explain finds which" : "nothing";
  }
  if (parent->find("page")->is_null()) return "the header";
  return "slot " + member_text(*parent, "slot") + " of page " + member_text(*parent, "page") + " (u)";
}

class PagePanel : public ListPanel {
 public:
  std::string_view name() const noexcept override { return "page"; }
  std::string_view hint() const noexcept override {
    return "h l: before, after  Enter: to a child  u: up to who points here  :PAGE";
  }

  bool handle(const Input& input, Size body) override {
    const bool is_left =
        input.kind == Input::Kind::Left || (input.kind == Input::Kind::Character && input.character == 'h');
    const bool is_right =
        input.kind == Input::Kind::Right || (input.kind == Input::Kind::Character && input.character == 'l');
    if (input.kind == Input::Kind::Character && input.character == 'u' && parent_) {
      page_ = *parent_;
    } else if (is_left && page_ > 0) {
      --page_;
    } else if (is_right && page_ + 1 < count_) {
      ++page_;
    } else {
      return ListPanel::handle(input, body);
    }
    select_first();
    return true;
  }

  Status go_to(const std::string& where) override {
    page_ = TRY(page_number(where));
    select_first();
    return {};
  }

  std::vector<std::uint64_t> damaged() const override { return damaged_; }

 protected:
  Status fetch(const Looker& look, Size) override {
    const Value page = TRY(look(request_of(inspect::View::Page, std::to_string(page_), 1)));
    const Value* const in_use = page.find("in_use");
    const std::string integrity = member_text(page, "integrity");
    const bool is_bad = member_truth(page, "in_use") && integrity == "damaged";
    if (is_bad && std::find(damaged_.begin(), damaged_.end(), page_) == damaged_.end()) damaged_.push_back(page_);
    head_.push_back("page " + std::to_string(page_) + ": " + integrity + ", " +
                    (in_use == nullptr || in_use->is_null() ? "use unknown"
                     : member_truth(page, "in_use")         ? "in use"
                                                            : "free") +
                    ", at byte " + member_text(page, "offset"));
    if (page.find("type") != nullptr) {
      head_.push_back(member_text(page, "type") + ", level " + member_text(page, "level") + ", version " +
                      member_text(page, "version") + ", rewrite " + member_text(page, "rewrite") + ", session " +
                      member_text(page, "session") + ", fill " + member_text(page, "fill"));
    }
    const Value* const parent = page.find("pointed_to_by");
    const bool has_parent = parent != nullptr && parent->find("page") != nullptr && !parent->find("page")->is_null();
    parent_ = has_parent ? std::optional(member_number(*parent, "page")) : std::nullopt;
    head_.push_back("pointed to by " + parent_text(page));
    add_rows(page);
    return {};
  }

 private:
  // Of an extent only the part that lies in this page.
  void add_rows(const Value& page) {
    const std::uint64_t size = member_number(page, "page_size");
    const std::uint64_t first = page.find("first") != nullptr ? member_number(page, "first") : page_;
    const Value* const bytes = page.find("bytes");
    const std::string_view hex = bytes != nullptr && bytes->text() != nullptr ? *bytes->text() : std::string_view();
    begin_ = (page_ - std::min(first, page_)) * size;
    end_ = std::min<std::uint64_t>(begin_ + size, hex.size() / 2);
    std::uint64_t at = begin_;
    for (const Value& field : member_list(page, "fields")) {
      const std::uint64_t offset = member_number(field, "offset"), stop = offset + member_number(field, "size");
      if (stop <= begin_ || offset >= end_) continue;
      add_bytes("unused or not described", hex, at, offset);
      std::string text = member_text(field, "name");
      if (!field.find("value")->is_null()) text += " = " + member_text(field, "value");
      rows_.push_back({"field " + std::to_string(offset) + text.substr(0, text.find(' ')),
                       text + "  (" + member_text(field, "meaning") + ")", Style::Title});
      if (text.starts_with("child ")) rows_.back().visit = Visit{PanelNumber::Page, member_text(field, "value")};
      add_bytes({}, hex, offset, stop);
      at = std::max(at, stop);
    }
    add_bytes("unused or not described", hex, at, end_);
    count_ = std::max(count_, page_ + 2);  // whether there is a next page shows when it is asked for
  }

  void add_bytes(const std::string& title, std::string_view hex, std::uint64_t from, std::uint64_t to) {
    from = std::max(from, begin_);
    to = std::min(to, end_);
    if (from >= to) return;
    if (!title.empty()) rows_.push_back({"gap " + std::to_string(from), title, Style::Dim});
    for (std::uint64_t at = from; at < to; at += kPerRow) {
      rows_.push_back({"bytes " + std::to_string(at), bytes_text(hex, at, std::min(at + kPerRow, to))});
    }
  }

  std::uint64_t page_ = 0, count_ = 1;
  std::optional<std::uint64_t> parent_;
  std::uint64_t begin_ = 0, end_ = 0;  // bytes of the image that are shown
  std::vector<std::uint64_t> damaged_;
};

}  // namespace

std::unique_ptr<Panel> page_panel() { return std::make_unique<PagePanel>(); }

}  // namespace vitrine::cli::view
