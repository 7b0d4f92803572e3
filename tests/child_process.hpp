// SPDX-License-Identifier: MIT OR Apache-2.0
// Another process for a test: a function in a fork of this one, or a program. What it writes to its output is read
// here, and it can be killed at any moment. It dies with this process, and with this object.
//
// A fork takes nothing but the calling thread along: a database that is open then is of no use to the function.
// Thread safety: none.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace vitrine::testing {

class ChildProcess {
 public:
  // Tells the parent, from inside the function.
  class Output {
   public:
    explicit Output(int descriptor) : descriptor_(descriptor) {}
    void write(std::string_view text) const;

   private:
    int descriptor_;
  };

  // Runs `body` in a child, which ends with its result. It must not use what the test framework offers.
  static ChildProcess run(const std::function<int(const Output&)>& body);
  // words[0] is the path of the program. Standard input is the file at `input`.
  static ChildProcess start(const std::vector<std::string>& words, const std::string& input = "/dev/null");

  ChildProcess(ChildProcess&& other) noexcept;
  ~ChildProcess();

  // What the child has written so far and writes in the next `duration`, or until it ends.
  const std::string& read_for(std::chrono::microseconds duration);
  // The same until the output ends with, or contains, `text`. False when the child ends or a minute passes first.
  bool read_until(std::string_view text);
  void forget_output() { output_.clear(); }

  // SIGKILL, and everything that was still to be read. True when the child was alive, or had ended with 0.
  bool kill();
  // Waits for its end; the result of the body or program, -1 when it was killed.
  int wait();

  const std::string& output() const { return output_; }
  pid_t id() const { return id_; }

 private:
  ChildProcess(pid_t id, int descriptor) : id_(id), descriptor_(descriptor) {}
  // False at the end of the output.
  bool read_some(std::chrono::microseconds wait);
  void read_rest();

  pid_t id_ = -1;
  int descriptor_ = -1;
  std::string output_;
};

}  // namespace vitrine::testing
