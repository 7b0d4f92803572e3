// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/line_editor.hpp"

#include <histedit.h>

#include <cstdio>

#include "cli/terminal.hpp"

namespace vitrine::cli {

struct LineEditor::Impl {
  Impl(std::string path, Complete to_complete) : history_path(std::move(path)), complete(std::move(to_complete)) {}

  static Impl& of(EditLine* editor) {
    void* self = nullptr;
    el_get(editor, EL_CLIENTDATA, &self);
    return *static_cast<Impl*>(self);
  }

  static char* show_prompt(EditLine* editor) { return of(editor).prompt.data(); }

  // libedit's own reader goes on after a signal; this one ends the line, so that an interrupt reaches the shell.
  static int read_character(EditLine*, wchar_t* to) {
    const std::optional<char> first = read_byte_from(static_cast<int>(Stream::Input));
    if (!first) return 0;
    auto code = static_cast<unsigned char>(*first);
    if (code < 0x80) {
      *to = code;
      return 1;
    }
    const int more = code >= 0xf0 ? 3 : code >= 0xe0 ? 2 : 1;
    std::uint32_t character = code & (0x3fu >> more);
    for (int i = 0; i < more; ++i) {
      const std::optional<char> next = read_byte_from(static_cast<int>(Stream::Input));
      if (!next) return 0;
      character = character << 6 | (static_cast<unsigned char>(*next) & 0x3fu);
    }
    *to = static_cast<wchar_t>(character);
    return 1;
  }

  static unsigned char complete_word(EditLine* editor, int) {
    const LineInfo* const line = el_line(editor);
    const std::string_view before(line->buffer, static_cast<std::size_t>(line->cursor - line->buffer));
    const ShellCompletion completion = of(editor).complete(before);
    if (completion.candidates.empty()) return CC_REFRESH_BEEP;
    const std::string common = common_beginning(completion.candidates);
    if (common.size() > completion.size) {
      el_insertstr(editor, common.substr(completion.size).c_str());
      return CC_REFRESH;
    }
    if (completion.candidates.size() == 1) return CC_REFRESH;
    std::fputc('\n', stderr);
    for (const std::string& candidate : completion.candidates) std::fprintf(stderr, "%s  ", candidate.c_str());
    std::fputc('\n', stderr);
    return CC_REDISPLAY;
  }

  std::string history_path;
  const Complete complete;
  std::string prompt;
  EditLine* editor = nullptr;
  History* history = nullptr;
};

LineEditor::LineEditor(std::string history_path, Complete complete)
    : impl_(std::make_unique<Impl>(std::move(history_path), std::move(complete))) {
  HistEvent event{};
  impl_->history = history_init();
  ::history(impl_->history, &event, H_SETSIZE, 1000);
  ::history(impl_->history, &event, H_SETUNIQUE, 1);
  if (!impl_->history_path.empty()) ::history(impl_->history, &event, H_LOAD, impl_->history_path.c_str());
  EditLine* const editor = impl_->editor = el_init("vitrine", stdin, stderr, stderr);
  el_set(editor, EL_CLIENTDATA, impl_.get());
  el_set(editor, EL_PROMPT, &Impl::show_prompt);
  el_set(editor, EL_EDITOR, "emacs");
  el_set(editor, EL_HIST, &::history, impl_->history);
  el_set(editor, EL_GETCFN, &Impl::read_character);
  el_set(editor, EL_ADDFN, "vitrine-complete", "complete", &Impl::complete_word);
  el_set(editor, EL_BIND, "^I", "vitrine-complete", nullptr);
  el_set(editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
}

LineEditor::~LineEditor() {
  HistEvent event{};
  if (!impl_->history_path.empty()) ::history(impl_->history, &event, H_SAVE, impl_->history_path.c_str());
  el_end(impl_->editor);
  history_end(impl_->history);
}

void LineEditor::keep_no_history() { impl_->history_path.clear(); }

std::optional<std::string> LineEditor::read_line(std::string prompt) {
  impl_->prompt = std::move(prompt);
  int size = 0;
  const char* const line = el_gets(impl_->editor, &size);
  if (line == nullptr || size <= 0) return std::nullopt;
  std::string text(line, static_cast<std::size_t>(size));
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

void LineEditor::remember(const std::string& line) {
  HistEvent event{};
  ::history(impl_->history, &event, H_ENTER, line.c_str());
}

}  // namespace vitrine::cli
