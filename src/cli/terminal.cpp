// SPDX-License-Identifier: MIT OR Apache-2.0
// The one file of the program that talks to the process it runs in; files and locks go through os::Env.
#include "cli/terminal.hpp"

#include <cerrno>
#include <csignal>
#include <initializer_list>

#include <fcntl.h>
#include <unistd.h>

namespace vitrine::cli {
namespace {

volatile std::sig_atomic_t interrupted = 0;

extern "C" void note_interrupt(int) { interrupted = 1; }

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

}  // namespace vitrine::cli
