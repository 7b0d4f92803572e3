// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tests/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <utility>

namespace vitrine::testing {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPatience = std::chrono::minutes(1);

struct Pipe {
  int ends[2];
  Pipe() {
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  }
};

// In the child: nothing of it outlives the test.
void die_with_parent(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
}

// _exit, because the parent's buffers and destructors are not the child's to run.
[[noreturn]] void run_body(const std::function<int(const ChildProcess::Output&)>& body, int descriptor) {
  int result = 1;
  try {
    result = body(ChildProcess::Output(descriptor));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "child process: %s\n", error.what());
  }
  ::_exit(result);
}

}  // namespace

void ChildProcess::Output::write(std::string_view text) const {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor_, text.data(), text.size());
    if (written <= 0) ::_exit(1);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

ChildProcess ChildProcess::run(const std::function<int(const Output&)>& body) {
  const Pipe pipe;
  std::fflush(nullptr);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {
    die_with_parent(parent);
    ::close(pipe.ends[0]);
    run_body(body, pipe.ends[1]);
  }
  ::close(pipe.ends[1]);
  if (child < 0) throw std::runtime_error("no process");
  return {child, pipe.ends[0]};
}

ChildProcess ChildProcess::start(const std::vector<std::string>& words, const std::string& input) {
  const Pipe pipe;
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {  // only calls that are safe beside other threads
    die_with_parent(parent);
    const int in = ::open(input.c_str(), O_RDONLY | O_CLOEXEC);
    if (in < 0 || ::dup2(in, STDIN_FILENO) < 0 || ::dup2(pipe.ends[1], STDOUT_FILENO) < 0) ::_exit(126);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  ::close(pipe.ends[1]);
  if (child < 0) throw std::runtime_error("no process");
  return {child, pipe.ends[0]};
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : id_(std::exchange(other.id_, -1)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      output_(std::move(other.output_)) {}

ChildProcess::~ChildProcess() {
  if (id_ != -1) (void)kill();
  if (descriptor_ != -1) ::close(descriptor_);
}

bool ChildProcess::read_some(std::chrono::microseconds wait) {
  struct pollfd readable {
    descriptor_, POLLIN, 0
  };
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(wait);
  const struct timespec timeout {
    seconds.count(), static_cast<long>(std::chrono::nanoseconds(wait - seconds).count())
  };
  if (::ppoll(&readable, 1, &timeout, nullptr) <= 0) return true;
  char buffer[16384];
  const ssize_t got = ::read(descriptor_, buffer, sizeof buffer);
  if (got <= 0) return false;
  output_.append(buffer, static_cast<std::size_t>(got));
  return true;
}

const std::string& ChildProcess::read_for(std::chrono::microseconds duration) {
  const auto end = Clock::now() + duration;
  for (auto now = Clock::now(); now < end; now = Clock::now()) {
    if (!read_some(std::chrono::duration_cast<std::chrono::microseconds>(end - now))) break;
  }
  return output_;
}

bool ChildProcess::read_until(std::string_view text) {
  const auto end = Clock::now() + kPatience;
  while (output_.find(text) == std::string::npos) {
    const auto now = Clock::now();
    if (now >= end) return false;
    if (!read_some(std::chrono::duration_cast<std::chrono::microseconds>(end - now))) {
      return output_.find(text) != std::string::npos;
    }
  }
  return true;
}

void ChildProcess::read_rest() {
  while (read_some(kPatience)) {
  }
}

bool ChildProcess::kill() {
  ::kill(id_, SIGKILL);
  read_rest();
  int status = 0;
  ::waitpid(std::exchange(id_, -1), &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0;
}

int ChildProcess::wait() {
  read_rest();
  int status = 0;
  ::waitpid(std::exchange(id_, -1), &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace vitrine::testing
