// SPDX-License-Identifier: MIT OR Apache-2.0
// One panel of the viewer, and the list that most of them are. A panel asks for no more than it can show, so that its
// cost does not grow with the file.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/view_screen.hpp"

namespace vitrine::cli::view {

// The panels by number, as the keys 1 to 9 name them.
enum class PanelNumber : std::size_t { Header = 1, Map, Page, Tree, Log, Keys, Space, Snapshots, Findings };

// Where an entry leads.
struct Visit {
  PanelNumber panel;
  std::string where;
};

class Panel {
 public:
  virtual ~Panel() = default;
  virtual std::string_view name() const noexcept = 0;
  virtual std::string_view hint() const noexcept = 0;  // keys that mean something here

  // Asks for what is to be shown in `body`. With `mark`, what differs from before is shown as changed.
  virtual Status load(const Looker& look, Size body, bool mark) = 0;
  virtual Lines draw(Size body) const = 0;
  // True when the panel must be loaded again.
  virtual bool handle(const Input& input, Size body) = 0;
  // Goes to what ":" or an entry of another panel says. Errors: ArgumentInvalid.
  virtual Status go_to(const std::string& where) = 0;
  virtual std::optional<Visit> visit() const { return std::nullopt; }

  // Selects the next place with `text` among what is loaded; false when there is none.
  virtual bool find_next(const std::string& text, bool forward) = 0;
  // For panels that know keys: goes to the first key from `text` on. Nothing: use find_next().
  virtual std::optional<Status> find_key(const Looker& look, const std::string& text);
  // Moves on to what follows, or comes before, what is loaded; false when there is nothing.
  virtual bool turn_over(bool forward);
  // Pages that are in use and do not verify, as far as they were met.
  virtual std::vector<std::uint64_t> damaged() const { return {}; }

  std::size_t changes() const noexcept { return changes_; }

 protected:
  std::size_t changes_ = 0;
};

struct Row {
  std::string id;  // what stays the same when the text changes
  std::string text;
  Style style = Style::Normal;
  std::optional<Visit> visit = std::nullopt;
  bool is_changed = false;
};

// Rows with a selection below lines that stay.
class ListPanel : public Panel {
 public:
  Status load(const Looker& look, Size body, bool mark) override;
  Lines draw(Size body) const override;
  bool handle(const Input& input, Size body) override;
  Status go_to(const std::string& where) override;
  std::optional<Visit> visit() const override;
  bool find_next(const std::string& text, bool forward) override;

 protected:
  // Fills head_ and rows_.
  virtual Status fetch(const Looker& look, Size body) = 0;
  void select_first() noexcept { selected_ = top_ = 0; }
  std::size_t room(Size body) const noexcept { return body.rows > head_.size() ? body.rows - head_.size() : 1; }

  std::vector<std::string> head_;
  std::vector<Row> rows_;
  std::size_t selected_ = 0;

 private:
  bool move(std::ptrdiff_t by, Size body);
  std::size_t top_ = 0;  // first row shown
  Size last_body_;
};

// A list whose rows come in answers that name what follows them.
class WindowPanel : public ListPanel {
 public:
  bool turn_over(bool forward) override;
  Status go_to(const std::string& where) override;

 protected:
  void start_at(std::string from);
  void go_on_at(std::string from) { starts_.push_back(std::move(from)); }
  const std::string& from() const noexcept { return starts_.back(); }
  // Remembers where the next answer starts, if one follows `payload`.
  void take_next(const inspect::Value& payload);
  // Looks at `view` for as many rows as fit below `head` lines.
  Result<inspect::Value> look_on(const Looker& look, inspect::View view, Size body, std::size_t head);

 private:
  std::optional<std::string> next_;
  std::vector<std::string> starts_{""};  // of this answer and, before it, of those that were left
};

inspect::Request request_of(inspect::View view, std::string from = {}, std::uint64_t limit = 100);

// Errors: ArgumentInvalid.
Result<std::uint64_t> page_number(const std::string& text);

std::unique_ptr<Panel> header_panel();
std::unique_ptr<Panel> map_panel();
std::unique_ptr<Panel> page_panel();
std::unique_ptr<Panel> tree_panel();
std::unique_ptr<Panel> log_panel();
std::unique_ptr<Panel> keys_panel();
std::unique_ptr<Panel> space_panel();
std::unique_ptr<Panel> snapshots_panel();
// `others` outlive it; it shows the damage that they met.
std::unique_ptr<Panel> findings_panel(const std::vector<std::unique_ptr<Panel>>& others);

}  // namespace vitrine::cli::view
