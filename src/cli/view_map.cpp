// SPDX-License-Identifier: MIT OR Apache-2.0
// The map of pages: one letter a page, by type, fill, age or state.
#include <algorithm>
#include <array>
#include <bit>

#include "base/try.hpp"
#include "cli/value_text.hpp"
#include "cli/view_panel.hpp"

namespace vitrine::cli::view {
namespace {

using inspect::Value;

constexpr std::size_t kCellsMax = 2048;  // each is a page that is read and checked
constexpr std::size_t kLabelColumns = 12;

enum class Heat : std::uint8_t { Type, Fill, Age, State };

struct Cell {
  std::uint64_t page = 0;
  Value row;
  bool is_changed = false;
};

struct Glyph {
  char letter;
  Style style;
};

bool is_in_use(const Value& row) noexcept { return member_truth(row, "in_use"); }

Glyph glyph_of_type(const Value& row) {
  const std::string type = member_text(row, "type");
  const bool is_inside = member_number(row, "first") != member_number(row, "page");
  if (type == "leaf") return {'L', Style::Heat1};
  if (type == "inner") return {'I', Style::Heat3};
  if (type == "extent") return {is_inside ? 'e' : 'E', Style::Heat0};
  if (type == "extent_list") return {is_inside ? 'x' : 'X', Style::Heat0};
  if (type == "map_leaf") return {'m', Style::Heat2};
  return {type == "map_inner" ? 'M' : '?', Style::Heat2};
}

Glyph glyph_of_share(double share) {
  const int tenth = std::clamp(static_cast<int>(share * 10), 0, 9);
  constexpr std::array<Style, 4> kStyles{Style::Heat0, Style::Heat1, Style::Heat2, Style::Heat3};
  return {static_cast<char>('0' + tenth), kStyles[static_cast<std::size_t>(tenth * 4 / 10)]};
}

// 0: written for the newest version; each step is twice as old.
Glyph glyph_of_age(std::uint64_t newest, std::uint64_t version) {
  const int steps = std::min(static_cast<int>(std::bit_width(newest > version ? newest - version : 0)), 9);
  Glyph glyph = glyph_of_share(static_cast<double>(9 - steps) / 10);
  glyph.letter = static_cast<char>('0' + steps);
  return glyph;
}

class MapPanel : public Panel {
 public:
  std::string_view name() const noexcept override { return "map"; }
  std::string_view hint() const noexcept override {
    return "m: heat by type, fill, age, state  Enter: the page  :PAGE";
  }

  Status load(const Looker& look, Size body, bool mark) override {
    columns_ = std::max<std::size_t>((body.columns - std::min(body.columns, kLabelColumns)) / 8 * 8, 8);
    const std::size_t rows =
        std::max<std::size_t>(std::min(body.rows - std::min<std::size_t>(body.rows, 2), kCellsMax / columns_), 1);
    shown_ = columns_ * rows;
    const Value header = TRY(look(request_of(inspect::View::Header)));
    if (const Value* const chosen = header.find("chosen")) newest_ = member_number(*chosen, "version");
    const std::uint64_t from = selected_ / shown_ * shown_;
    Value pages = TRY(look(request_of(inspect::View::Pages, std::to_string(from), shown_)));
    count_ = member_number(pages, "page_count");
    if (selected_ >= count_ && count_ > 0 && selected_ != count_ - 1) {
      selected_ = count_ - 1;
      return load(look, body, mark);
    }
    take(member_list(pages, "pages"), mark);
    return {};
  }

  Lines draw(Size body) const override {
    Lines lines;
    lines.push_back({{clipped(legend(), body.columns), Style::Dim}});
    for (std::size_t at = 0; at < cells_.size() && lines.size() + 1 < body.rows; at += columns_) {
      Line line{{padded(std::to_string(cells_[at].page), kLabelColumns - 2) + "  ", Style::Dim}};
      for (std::size_t i = at; i < std::min(at + columns_, cells_.size()); ++i) append_cell(line, cells_[i]);
      lines.push_back(std::move(line));
    }
    lines.push_back({{clipped(selected_text(), body.columns), Style::Title}});
    return lines;
  }

  bool handle(const Input& input, Size) override {
    const auto step = static_cast<std::int64_t>(columns_), all = static_cast<std::int64_t>(shown_);
    switch (input.kind) {
      case Input::Kind::Left:
        return move(-1);
      case Input::Kind::Right:
        return move(1);
      case Input::Kind::Up:
        return move(-step);
      case Input::Kind::Down:
        return move(step);
      case Input::Kind::WheelUp:
      case Input::Kind::PageUp:
        return move(-all);
      case Input::Kind::WheelDown:
      case Input::Kind::PageDown:
        return move(all);
      case Input::Kind::Home:
        return select(0);
      case Input::Kind::End:
        return select(count_ > 0 ? count_ - 1 : 0);
      case Input::Kind::Click:
        return click(input);
      case Input::Kind::Character:
        break;
      default:
        return false;
    }
    if (input.character == 'h') return move(-1);
    if (input.character == 'l') return move(1);
    if (input.character == 'm') heat_ = static_cast<Heat>((static_cast<int>(heat_) + 1) % 4);
    return false;
  }

  Status go_to(const std::string& where) override {
    selected_ = TRY(page_number(where));
    return {};
  }

  std::optional<Visit> visit() const override { return Visit{PanelNumber::Page, std::to_string(selected_)}; }

  // By what the bottom line would say.
  bool find_next(const std::string& text, bool forward) override {
    const std::uint64_t start = selected_;
    for (std::size_t n = 0; n < cells_.size(); ++n) {
      const Cell& cell = forward ? cells_[n] : cells_[cells_.size() - 1 - n];
      if (forward ? cell.page <= start : cell.page >= start) continue;
      if (describe(cell.row).find(text) == std::string::npos) continue;
      selected_ = cell.page;
      return true;
    }
    return false;
  }

  bool turn_over(bool forward) override {
    const std::uint64_t window = selected_ / shown_;
    if (forward ? (window + 1) * shown_ >= count_ : window == 0) return false;
    selected_ = forward ? (window + 1) * shown_ : window * shown_ - 1;
    return true;
  }

  std::vector<std::uint64_t> damaged() const override { return damaged_; }

 private:
  void take(const Value::List& rows, bool mark) {
    std::vector<Cell> cells;
    changes_ = 0;
    for (const Value& row : rows) {
      Cell cell{member_number(row, "page"), row};
      const bool was_shown = !cells_.empty() && cell.page >= cells_.front().page && cell.page <= cells_.back().page;
      cell.is_changed = mark && (!was_shown || inspect::to_json(cells_[cell.page - cells_.front().page].row) !=
                                                   inspect::to_json(row));
      changes_ += cell.is_changed ? 1 : 0;
      if (is_in_use(row) && member_text(row, "integrity") == "damaged" &&
          std::find(damaged_.begin(), damaged_.end(), cell.page) == damaged_.end()) {
        damaged_.push_back(cell.page);
      }
      cells.push_back(std::move(cell));
    }
    cells_ = std::move(cells);
  }

  Glyph glyph_of(const Value& row) const {
    const std::string integrity = member_text(row, "integrity");
    if (integrity == "header") return {'H', Style::Good};
    if (is_in_use(row) && integrity != "intact") return {'!', Style::Bad};
    if (heat_ == Heat::State) {
      const Value* const in_use = row.find("in_use");
      if (in_use == nullptr || in_use->is_null()) return {'?', Style::Dim};
      return is_in_use(row) ? Glyph{'#', Style::Heat1} : Glyph{'.', Style::Dim};
    }
    if (!is_in_use(row)) return {integrity == "intact" ? '.' : integrity == "zero" ? '_' : '-', Style::Dim};
    if (heat_ == Heat::Type) return glyph_of_type(row);
    if (heat_ == Heat::Age) return glyph_of_age(newest_, member_number(row, "version"));
    const Value* const fill = row.find("fill");
    return glyph_of_share(fill != nullptr && fill->fraction() != nullptr ? *fill->fraction() : 1);
  }

  void append_cell(Line& line, const Cell& cell) const {
    Glyph glyph = glyph_of(cell.row);
    if (cell.is_changed) glyph.style = Style::Changed;
    if (cell.page == selected_) glyph.style = Style::Selected;
    if (line.back().style != glyph.style) line.push_back({"", glyph.style});
    line.back().text.push_back(glyph.letter);
  }

  std::string legend() const {
    const std::string others = " H header ! damaged . free _ zero - other";
    switch (heat_) {
      case Heat::Type:
        return "L leaf I inner E extent X list m M map" + others;
      case Heat::Fill:
        return "fill in tenths: 0 to 9" + others;
      case Heat::Age:
        return "age: 0 newest, 9 oldest" + others;
      case Heat::State:
        break;
    }
    return "state: # in use  . free  ? unknown  H header  ! damaged";
  }

  static std::string describe(const Value& row) {
    std::string text =
        "page " + member_text(row, "page") + ": " + member_text(row, "integrity") + (is_in_use(row) ? ", in use" : "");
    if (row.find("type") == nullptr) return text;
    return text + ", " + member_text(row, "type") + ", level " + member_text(row, "level") + ", version " +
           member_text(row, "version") + ", fill " + member_text(row, "fill");
  }

  std::string selected_text() const {
    for (const Cell& cell : cells_) {
      if (cell.page == selected_) return describe(cell.row) + " (of " + std::to_string(count_) + " pages)";
    }
    return "";
  }

  // True when another part must be loaded.
  bool select(std::uint64_t page) {
    const bool is_elsewhere = page / shown_ != selected_ / shown_;
    selected_ = page;
    return is_elsewhere;
  }

  bool move(std::int64_t by) {
    const std::int64_t last = count_ > 0 ? static_cast<std::int64_t>(count_) - 1 : 0;
    return select(
        static_cast<std::uint64_t>(std::clamp<std::int64_t>(static_cast<std::int64_t>(selected_) + by, 0, last)));
  }

  bool click(const Input& input) {
    if (input.row == 0 || input.column < kLabelColumns || input.column >= kLabelColumns + columns_) return false;
    const std::size_t cell = (input.row - 1) * columns_ + input.column - kLabelColumns;
    if (cell < cells_.size()) selected_ = cells_[cell].page;
    return false;
  }

  Heat heat_ = Heat::Type;
  std::uint64_t selected_ = 0, count_ = 0, newest_ = 0;
  std::size_t columns_ = 8, shown_ = 8;
  std::vector<Cell> cells_;
  std::vector<std::uint64_t> damaged_;
};

}  // namespace

std::unique_ptr<Panel> map_panel() { return std::make_unique<MapPanel>(); }

}  // namespace vitrine::cli::view
