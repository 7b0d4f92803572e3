// SPDX-License-Identifier: MIT OR Apache-2.0
// The panels about content: the tree, node by node; keys in order; the log as a line of time.
#include <algorithm>

#include "base/codec.hpp"
#include "base/try.hpp"
#include "cli/encoding.hpp"
#include "cli/value_text.hpp"
#include "cli/view_panel.hpp"

namespace vitrine::cli::view {
namespace {

using inspect::Value;

constexpr std::uint64_t kSlotsMax = 65536;  // more than any page has
constexpr unsigned kDepthMax = 64;
constexpr std::uint64_t kDefaultKeyspace = 1;

// A key as it is ordered: keyspace, then bytes.
struct TreeKey {
  std::uint64_t keyspace = kDefaultKeyspace;
  std::string key;
  auto operator<=>(const TreeKey&) const = default;
};

std::string hex_text(std::string_view bytes) { return encoded(bytes, Encoding::Hex); }

// What "/" was given: "KEY", or "N/KEY" for another keyspace than the default.
TreeKey parse_key(const std::string& text) {
  const std::size_t slash = text.find('/');
  const bool has_keyspace =
      slash != std::string::npos && slash > 0 && slash < 10 && text.find_first_not_of("0123456789") == slash;
  if (!has_keyspace) return {kDefaultKeyspace, text};
  return {std::stoull(text.substr(0, slash)), text.substr(slash + 1)};
}

std::string bytes_of(const Value* value) {
  if (value == nullptr) return "";
  if (const std::string* const text = value->text()) return *text;
  const Value* const hex = value->find("hex");
  const Result<std::string> bytes = hex != nullptr && hex->text() != nullptr ? decoded(*hex->text(), Encoding::Hex)
                                                                             : Result<std::string>(std::string());
  return bytes.has_value() ? *bytes : "";
}

TreeKey key_of(const Value& row) { return {member_number(row, "keyspace"), bytes_of(row.find("key"))}; }

// A key of the tree as it stands in an inner node, perhaps cut short.
std::string separator_text(const Value* value) {
  const std::string bytes = bytes_of(value);
  std::string_view key = bytes;
  const std::optional<std::uint64_t> keyspace = base::take_varint(key);
  return keyspace ? std::to_string(*keyspace) + "/" + encoded(key, Encoding::Text) : "the first key";
}

std::string key_text(const Value& row, std::string_view name) {
  return member_text(row, "keyspace") + "/" + member_text(row, name);
}

class TreePanel : public WindowPanel {
 public:
  std::string_view name() const noexcept override { return "tree"; }
  std::string_view hint() const noexcept override { return "Enter: down  b: up  p: the page  /KEY  :PAGE"; }

  bool handle(const Input& input, Size body) override {
    const bool is_character = input.kind == Input::Kind::Character;
    if (input.kind == Input::Kind::Enter || (is_character && input.character == 'l') ||
        input.kind == Input::Kind::Right) {
      return enter();
    }
    if (input.kind == Input::Kind::Back || input.kind == Input::Kind::Left ||
        (is_character && (input.character == 'b' || input.character == 'h'))) {
      return leave();
    }
    return WindowPanel::handle(input, body);
  }

  Status go_to(const std::string& where) override {
    CHECK(page_number(where).status());
    way_.push_back({where, 0, node_});
    start_at(where);
    return {};
  }

  std::optional<Visit> visit() const override { return Visit{PanelNumber::Page, node_}; }

  // Down from the root, one page a level.
  std::optional<Status> find_key(const Looker& look, const std::string& text) override { return descend(look, text); }

 protected:
  Status fetch(const Looker& look, Size body) override {
    shown_ = body.rows > 2 ? body.rows - 2 : 1;
    const Value tree = TRY(look_on(look, inspect::View::Tree, body, 2));
    const Value* const node = tree.find("node");
    if (node == nullptr || node->is_null()) {
      head_ = {"the tree is empty", ""};
      return {};
    }
    node_ = member_text(*node, "page");
    std::string way = "root";
    for (const Step& step : way_) way += " > " + step.page;
    head_.push_back(way);
    head_.push_back("node at page " + node_ + ", level " + member_text(tree, "level") + ", " +
                    member_text(tree, "count") + (tree.find("children") != nullptr ? " children" : " entries") +
                    ", fill " + member_text(tree, "fill"));
    if (tree.find("children") == nullptr) return add_entries(look);
    for (const Value& child : member_list(tree, "children")) rows_.push_back(child_row(child));
    take_wanted();
    return {};
  }

 private:
  struct Step {
    std::string page;
    std::size_t slot;   // that leads to it
    std::string above;  // page of the node that has the slot
  };

  static Row child_row(const Value& child) {
    const Value* const ref = child.find("ref");
    const std::string page = ref != nullptr ? member_text(*ref, "page") : "-";
    const Value* const error = child.find("error");
    const bool is_bad = error != nullptr && !error->is_null();
    std::string text = padded(member_text(child, "slot"), 5) + padded("page " + page, 14);
    text += is_bad
                ? value_text(error)
                : padded(member_text(child, "count") + " slots", 12) + padded("fill " + member_text(child, "fill"), 15);
    return {member_text(child, "slot"), text + " from " + separator_text(child.find("separator")),
            is_bad ? Style::Bad : Style::Normal, Visit{PanelNumber::Tree, page}};
  }

  Status add_entries(const Looker& look) {
    const Value page = TRY(look(request_of(inspect::View::Page, node_, kSlotsMax)));
    const Value* const content = page.find("content");
    if (content == nullptr || content->is_null()) return {};
    for (const Value& slot : member_list(*content, "slots")) {
      std::string text = padded(member_text(slot, "slot"), 5) + key_text(slot, "key") + "  " +
                         member_text(slot, "record_size") + " bytes";
      if (member_truth(slot, "large")) text += " (where a large value lies)";
      if (const Value* const record = slot.find("record")) text += "  " + encoded(bytes_of(record), Encoding::Text);
      rows_.push_back({member_text(slot, "slot"), std::move(text)});
    }
    take_wanted();
    return {};
  }

  void take_wanted() {
    if (wanted_) selected_ = *wanted_;
    wanted_.reset();
  }

  bool enter() {
    if (selected_ >= rows_.size() || !rows_[selected_].visit) return false;
    const std::string page = rows_[selected_].visit->where;
    way_.push_back({page, static_cast<std::size_t>(std::stoull(rows_[selected_].id)), node_});
    start_at(page);
    return true;
  }

  bool leave() {
    if (way_.empty()) return false;
    const Step last = way_.back();
    way_.pop_back();
    start_at(way_.empty() ? "" : way_.back().page);
    wanted_ = last.slot;
    if (last.slot >= shown_) {
      go_on_at(last.above + ":" + std::to_string(last.slot));
      wanted_ = 0;
    }
    return true;
  }

  Status descend(const Looker& look, const std::string& text) {
    const TreeKey wanted = parse_key(text);
    const Value root = TRY(look(request_of(inspect::View::Tree, {}, 1)));
    const Value* const ref = root.find("node");
    if (ref == nullptr || ref->is_null()) return Status::error(ErrorCode::KeyNotFound, "the tree is empty");
    std::string page = member_text(*ref, "page");
    std::vector<Step> way;
    for (unsigned depth = 0; depth < kDepthMax; ++depth) {
      const Value node = TRY(look(request_of(inspect::View::Page, page, kSlotsMax)));
      const Value* const content = node.find("content");
      if (content == nullptr || content->find("slots") == nullptr) {
        return Status::error(ErrorCode::PageMalformed, "the way leads to no node").with("page", page);
      }
      std::size_t place = 0;
      const Value::List& slots = member_list(*content, "slots");
      const bool is_leaf = member_text(node, "type") == "leaf";
      while (place < slots.size() &&
             (is_leaf ? key_of(slots[place]) < wanted : place == 0 || key_of(slots[place]) <= wanted)) {
        ++place;
      }
      if (is_leaf) {
        way_ = std::move(way);
        start_at(way_.empty() ? "" : way_.back().page);
        wanted_ = place;
        return {};
      }
      if (place > 0) --place;
      const Value* const child = place < slots.size() ? slots[place].find("child") : nullptr;
      if (child == nullptr)
        return Status::error(ErrorCode::PageMalformed, "a node without children").with("page", page);
      const std::string child_page = member_text(*child, "page");
      way.push_back({child_page, place, page});
      page = child_page;
    }
    return Status::error(ErrorCode::PageMalformed, "the tree is too deep");
  }

  std::vector<Step> way_;  // below the root
  std::string node_;
  std::size_t shown_ = 1;
  std::optional<std::size_t> wanted_;  // row to select when the node was loaded
};

std::string gaps_text(const Value& keys) {
  const std::size_t gaps = member_list(keys, "gaps").size();
  return gaps == 0 ? "" : ", without " + std::to_string(gaps) + (gaps == 1 ? " damaged page" : " damaged pages");
}

class KeysPanel : public WindowPanel {
 public:
  std::string_view name() const noexcept override { return "keys"; }
  std::string_view hint() const noexcept override { return "/KEY or /KEYSPACE/KEY: from there on"; }

  Status go_to(const std::string& where) override {
    const TreeKey key = parse_key(where);
    std::string position;
    base::append_varint(position, key.keyspace);
    start_at(hex_text(position + key.key));
    return {};
  }
  std::optional<Status> find_key(const Looker&, const std::string& text) override { return go_to(text); }

 protected:
  Status fetch(const Looker& look, Size body) override {
    const Value keys = TRY(look_on(look, inspect::View::Keys, body, 1));
    const Value* const error = keys.find("error");
    const bool is_bad = error != nullptr && !error->is_null();
    head_.push_back("entries of the " + member_text(keys, "source") +
                    (is_bad ? ", which cannot be opened: " + value_text(error) : "") + gaps_text(keys));
    for (const Value& row : member_list(keys, "keys")) {
      const std::string key = key_text(row, "key");
      rows_.push_back({key, key + "  " + member_text(row, "record_size") + " bytes, version " +
                                member_text(row, "version") + "  " + member_text(row, "value")});
    }
    return {};
  }
};

class LogPanel : public WindowPanel {
 public:
  std::string_view name() const noexcept override { return "log"; }
  std::string_view hint() const noexcept override { return ":LSN"; }

 protected:
  Status fetch(const Looker& look, Size body) override {
    const Value log = TRY(look_on(look, inspect::View::Log, body, 2));
    if (!member_truth(log, "present")) {
      head_.push_back("there is no log: the checkpoint has everything");
      return {};
    }
    head_.push_back("log of " + member_text(log, "bytes") + " bytes, segments of " + member_text(log, "segment_size") +
                    ", writer process " + member_text(log, "owner_process"));
    if (member_truth(log, "sealed")) head_.push_back("its frames are encrypted, and there is no key");
    for (const Value& frame : member_list(log, "frames")) rows_.push_back(frame_row(frame));
    return {};
  }

 private:
  static Row frame_row(const Value& frame) {
    const bool is_old = member_truth(frame, "in_checkpoint");
    std::string text = padded(member_text(frame, "lsn"), 12) + padded(is_old ? "old" : "live", 5) +
                       padded(member_text(frame, "type"), 12) +
                       padded("commit " + member_text(frame, "commit_seq"), 14) +
                       padded(member_text(frame, "payload_size") + " bytes", 15);
    const Value::List& operations = member_list(frame, "operations");
    if (!operations.empty()) {
      text += member_text(operations.front(), "type") + " " + key_text(operations.front(), "key");
      if (operations.size() > 1) text += " and " + std::to_string(operations.size() - 1) + " more";
    }
    return {member_text(frame, "lsn"), text, is_old ? Style::Dim : Style::Normal};
  }
};

}  // namespace

std::unique_ptr<Panel> tree_panel() { return std::make_unique<TreePanel>(); }
std::unique_ptr<Panel> keys_panel() { return std::make_unique<KeysPanel>(); }
std::unique_ptr<Panel> log_panel() { return std::make_unique<LogPanel>(); }

}  // namespace vitrine::cli::view
