// SPDX-License-Identifier: MIT OR Apache-2.0
// The one file of the program that talks to the process it runs in; files and locks go through os::Env.
#include "cli/terminal.hpp"

#include <cerrno>
#include <csignal>
#include <algorithm>
#include <array>
#include <initializer_list>

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

namespace vitrine::cli {
namespace {

volatile std::sig_atomic_t interrupted = 0;

extern "C" void note_interrupt(int signal) { interrupted = signal; }

// Without SA_RESTART, so that a read that waits for a person or a pipe ends at once.
void note_signal(int signal) noexcept {
  struct sigaction action {};
  if (sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) return;  // nohup and the like
  action = {};
  action.sa_handler = note_interrupt;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

}  // namespace

bool is_terminal(Stream stream) noexcept { return isatty(static_cast<int>(stream)) == 1; }

void prepare_process() noexcept {
  for (const Stream stream : {Stream::Input, Stream::Output, Stream::Error}) {
    const int number = static_cast<int>(stream);
    if (fcntl(number, F_GETFD) != -1 || errno != EBADF) continue;
    // open() takes the lowest free number, which is this one.
    if (open("/dev/null", stream == Stream::Input ? O_WRONLY : O_RDONLY) != number) return;
  }
  for (const int signal : {SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_IGN);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) note_signal(signal);
}

bool interrupt_requested() noexcept { return interrupted != 0; }

bool take_keyboard_interrupt() noexcept {
  if (interrupted != SIGINT) return false;
  interrupted = 0;
  note_signal(SIGINT);
  return true;
}

std::optional<char> read_byte_from(int descriptor) noexcept {
  for (;;) {
    char byte = 0;
    const ssize_t got = ::read(descriptor, &byte, 1);
    if (got == 1) return byte;
    if (got == 0 || errno != EINTR || interrupt_requested()) return std::nullopt;
  }
}

Result<std::size_t> read_line_from(int descriptor, std::span<char> to) {
  for (std::size_t size = 0; size < to.size(); ++size) {
    const ssize_t got = ::read(descriptor, &to[size], 1);
    if (got < 0 && errno == EINTR && !interrupt_requested()) {
      --size;
      continue;
    }
    if (got < 0) return Status::error(errno == EINTR ? ErrorCode::Cancelled : ErrorCode::ReadFailed);
    if (got == 0 || to[size] == '\n') return size;
  }
  return Status::error(ErrorCode::ArgumentInvalid, "a secret of one line is too long");
}

InputState wait_for_input(std::chrono::milliseconds time) noexcept {
  pollfd input{static_cast<int>(Stream::Input), POLLIN, 0};
  if (poll(&input, 1, static_cast<int>(time.count())) <= 0) return InputState::Quiet;
  if ((input.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) return InputState::Gone;
  return InputState::Typed;
}

namespace {

constexpr std::array kFatalSignals{SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

// What the handler of a fatal signal may use: memory that is there already, and calls that are safe in one.
struct Rescue {
  termios settings{};
  std::array<char, 256> farewell{};
  std::size_t farewell_size = 0;
  std::array<struct sigaction, kFatalSignals.size()> before{};
};
Rescue rescue;

extern "C" void give_terminal_back(int signal) {
  tcsetattr(static_cast<int>(Stream::Input), TCSANOW, &rescue.settings);
  [[maybe_unused]] const ssize_t written =
      ::write(static_cast<int>(Stream::Output), rescue.farewell.data(), rescue.farewell_size);
  raise(signal);  // SA_RESETHAND: now the process dies as it would have
}

}  // namespace

TerminalRescue::TerminalRescue(std::string_view farewell) noexcept {
  // The settings in place now may be those of the one who uses the terminal: it saves the old ones itself, so that
  // "sane" is what is left to give.
  tcgetattr(static_cast<int>(Stream::Input), &rescue.settings);
  rescue.settings.c_lflag |= ICANON | ECHO | ISIG;
  rescue.settings.c_iflag |= ICRNL;
  rescue.settings.c_oflag |= OPOST | ONLCR;
  rescue.farewell_size = std::min(farewell.size(), rescue.farewell.size());
  std::copy_n(farewell.begin(), rescue.farewell_size, rescue.farewell.begin());
  struct sigaction action {};
  action.sa_handler = give_terminal_back;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < kFatalSignals.size(); ++i) sigaction(kFatalSignals[i], &action, &rescue.before[i]);
}

TerminalRescue::~TerminalRescue() {
  for (std::size_t i = 0; i < kFatalSignals.size(); ++i) sigaction(kFatalSignals[i], &rescue.before[i], nullptr);
}

namespace {

void write_to_terminal(std::string_view text) noexcept {
  [[maybe_unused]] const ssize_t written = ::write(static_cast<int>(Stream::Error), text.data(), text.size());
}

void set_echo(bool is_on) noexcept {
  termios settings{};
  if (tcgetattr(static_cast<int>(Stream::Input), &settings) != 0) return;
  settings.c_lflag = is_on ? settings.c_lflag | ECHO : settings.c_lflag & ~static_cast<tcflag_t>(ECHO);
  tcsetattr(static_cast<int>(Stream::Input), TCSAFLUSH, &settings);
}

}  // namespace

HiddenInput::HiddenInput(std::string_view prompt) : is_hidden_(is_terminal(Stream::Input)) {
  if (is_hidden_) set_echo(false);
  write_to_terminal(prompt);  // who answers it at once is not seen either
}

HiddenInput::~HiddenInput() {
  if (!is_hidden_) return;
  set_echo(true);
  write_to_terminal("\n");
}

}  // namespace vitrine::cli
