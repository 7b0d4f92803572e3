// SPDX-License-Identifier: MIT OR Apache-2.0
// The panels about the file as a whole: header, space, snapshots, and what was found to be wrong.
#include <algorithm>

#include "base/try.hpp"
#include "cli/value_text.hpp"
#include "cli/view_panel.hpp"

namespace vitrine::cli::view {
namespace {

using inspect::Value;

class HeaderPanel : public ListPanel {
 public:
  std::string_view name() const noexcept override { return "header"; }
  std::string_view hint() const noexcept override { return "Enter: the bytes of a block"; }

 protected:
  Status fetch(const Looker& look, Size) override {
    const Value header = TRY(look(request_of(inspect::View::Header)));
    head_.push_back("file of " + member_text(header, "file_bytes") + " bytes, error " + member_text(header, "error"));
    const Value* const chosen = header.find("chosen");
    for (const Value& block : member_list(header, "blocks")) rows_.push_back(block_row(block, chosen));
    if (chosen == nullptr || chosen->is_null()) return {};
    for (const inspect::Member& member : *chosen->members()) {
      rows_.push_back({member.name, padded(member.name, 20) + field_text(member.value)});
      const Value* const page = member.value.find("page");
      if (page != nullptr) rows_.back().visit = Visit{PanelNumber::Page, value_text(page)};
    }
    return {};
  }

 private:
  static std::string field_text(const Value& value) {
    if (value.find("page") == nullptr) return value_text(&value);
    return "page " + member_text(value, "page") + ", version " + member_text(value, "version") + ", rewrite " +
           member_text(value, "rewrite") + ", session " + member_text(value, "session");
  }

  static Row block_row(const Value& block, const Value* chosen) {
    const std::string place = "block of slot " + member_text(block, "slot") + " copy " + member_text(block, "copy");
    const std::string state = member_text(block, "state");
    const bool is_damaged = state == "damaged";
    Row row{place,
            place + " at byte " + member_text(block, "offset") + ": " + state +
                (is_damaged ? " (" + member_text(block, "error") + ")" : ""),
            is_damaged          ? Style::Bad
            : state == "newest" ? Style::Good
                                : Style::Dim};
    const std::uint64_t page_size = chosen != nullptr ? member_number(*chosen, "page_size") : 0;
    if (page_size > 0) {
      row.visit = Visit{PanelNumber::Page, std::to_string(member_number(block, "offset") / page_size)};
    }
    return row;
  }
};

class SpacePanel : public WindowPanel {
 public:
  std::string_view name() const noexcept override { return "space"; }
  std::string_view hint() const noexcept override { return "Enter: on the map  :PAGE"; }

 protected:
  Status fetch(const Looker& look, Size body) override {
    const Value space = TRY(look_on(look, inspect::View::Space, body, 1));
    const std::uint64_t pages = std::max<std::uint64_t>(member_number(space, "page_count"), 1);
    head_.push_back(member_text(space, "page_count") + " pages of the checkpoint, room for " +
                    member_text(space, "file_pages") + " in the file");
    for (const Value& run : member_list(space, "runs")) {
      const std::uint64_t first = member_number(run, "first"), size = member_number(run, "pages");
      const std::string state = member_text(run, "state");
      const std::size_t bar = static_cast<std::size_t>((size * 24 + pages - 1) / pages);
      rows_.push_back({std::to_string(first),
                       padded("pages " + std::to_string(first) + " to " + std::to_string(first + size - 1), 30) +
                           padded(std::to_string(size), 10) + padded(state, 9) +
                           std::string(std::min<std::size_t>(bar, 24), state == "in_use" ? '#' : '.'),
                       state == "in_use" ? Style::Normal : Style::Dim, Visit{PanelNumber::Map, std::to_string(first)}});
    }
    return {};
  }
};

class SnapshotsPanel : public ListPanel {
 public:
  std::string_view name() const noexcept override { return "snapshots"; }
  std::string_view hint() const noexcept override { return ""; }

 protected:
  Status fetch(const Looker& look, Size body) override {
    const Value snapshots = TRY(look(request_of(inspect::View::Snapshots, {}, body.rows)));
    head_.push_back("newest checkpoint " + member_text(snapshots, "newest_checkpoint") +
                    (member_truth(snapshots, "writer") ? ", a writer is at work" : ", no writer"));
    for (const Value& held : member_list(snapshots, "held")) {
      const std::uint64_t age = member_number(held, "age");
      rows_.push_back({member_text(held, "checkpoint"),
                       "checkpoint " + member_text(held, "checkpoint") + " is held by a reader, " +
                           std::to_string(age) + " newer ones followed",
                       age > 0 ? Style::Warning : Style::Normal});
    }
    if (rows_.empty()) head_.push_back("no reader holds a checkpoint");
    return {};
  }
};

class FindingsPanel : public ListPanel {
 public:
  explicit FindingsPanel(const std::vector<std::unique_ptr<Panel>>& others) : others_(others) {}
  std::string_view name() const noexcept override { return "findings"; }
  std::string_view hint() const noexcept override { return "Enter: the page"; }

 protected:
  Status fetch(const Looker& look, Size) override {
    head_.push_back("health, and damage met so far; vitrine verify looks at everything");
    const Value health = TRY(look(request_of(inspect::View::Health)));
    if (!member_truth(health, "opens")) {
      note("opens", "the database cannot be opened: " + member_text(health, "error"), Style::Bad);
    }
    for (const Value& warning : member_list(health, "warnings")) {
      const std::string text = member_text(warning, "code") + ": " + member_text(warning, "message");
      note(text, text + "; " + member_text(warning, "advice"), Style::Warning);
    }
    for (const std::unique_ptr<Panel>& panel : others_) {
      for (const std::uint64_t page : panel->damaged()) {
        note("page " + std::to_string(page), "page " + std::to_string(page) + " is in use and does not verify",
             Style::Bad);
        rows_.back().visit = Visit{PanelNumber::Page, std::to_string(page)};
      }
    }
    if (rows_.empty()) head_.push_back("nothing");
    return {};
  }

 private:
  void note(std::string id, std::string text, Style style) { rows_.push_back({std::move(id), std::move(text), style}); }

  const std::vector<std::unique_ptr<Panel>>& others_;
};

}  // namespace

std::unique_ptr<Panel> header_panel() { return std::make_unique<HeaderPanel>(); }
std::unique_ptr<Panel> space_panel() { return std::make_unique<SpacePanel>(); }
std::unique_ptr<Panel> snapshots_panel() { return std::make_unique<SnapshotsPanel>(); }
std::unique_ptr<Panel> findings_panel(const std::vector<std::unique_ptr<Panel>>& others) {
  return std::make_unique<FindingsPanel>(others);
}

}  // namespace vitrine::cli::view
