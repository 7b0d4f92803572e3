// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/secrets.hpp"

#include <limits>
#include <memory>
#include <string>

#include "base/try.hpp"
#include "cli/terminal.hpp"
#include "os/env.hpp"
#include "os/secret_memory.hpp"

namespace vitrine::cli {
namespace {

constexpr std::size_t kLineMax = 1100;
constexpr std::size_t kKeyFileMax = (64u << 10) + 1;
constexpr int kInput = static_cast<int>(Stream::Input);

using MakeSecret = Result<Secret> (*)(Bytes text);

template <std::size_t N>
Bytes text_of(const os::SecretArray<N>& bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes.data()), size};
}

Result<Secret> secret_from(int descriptor, MakeSecret make) {
  os::SecretArray<kLineMax> line;
  const std::size_t size = TRY(read_line_from(descriptor, {reinterpret_cast<char*>(line.data()), line.size()}));
  return make(text_of(line, size));
}

Result<int> descriptor_of(const Arguments& arguments, std::string_view option) {
  const std::uint64_t number = TRY(arguments.number(option)).value_or(0);
  if (number > std::numeric_limits<int>::max()) return usage_error("no such descriptor");
  return static_cast<int>(number);
}

Result<Secret> key_file_at(std::string_view path) {
  const std::unique_ptr<os::File> file = TRY(os::system_env().open(std::string(path), os::OpenMode::ReadOnly));
  const auto content = std::make_unique<os::SecretArray<kKeyFileMax>>();
  const std::size_t size = TRY(file->read_at(0, content->data(), content->size()));
  return Secret::key_file(text_of(*content, size));
}

struct SecretOptions {
  std::string_view passphrase_stdin, passphrase_fd, keyfile, recovery_stdin;
};

Result<Secret> secret_of(const Arguments& arguments, const SecretOptions& names) {
  CHECK(arguments.at_most_one_of({names.passphrase_stdin, names.passphrase_fd, names.keyfile, names.recovery_stdin}));
  if (arguments.has(names.passphrase_stdin)) return secret_from(kInput, &Secret::passphrase);
  if (arguments.has(names.recovery_stdin)) return secret_from(kInput, &Secret::recovery_key);
  if (const auto path = arguments.value(names.keyfile)) return key_file_at(*path);
  if (!arguments.has(names.passphrase_fd)) return Secret();
  return secret_from(TRY(descriptor_of(arguments, names.passphrase_fd)), &Secret::passphrase);
}

Result<Secret> ask(std::string_view prompt, MakeSecret make) {
  const HiddenInput hidden(prompt);
  return secret_from(kInput, make);
}

}  // namespace

bool can_ask() noexcept { return is_terminal(Stream::Input) && is_terminal(Stream::Error); }

Result<Secret> ask_passphrase(std::string_view prompt) { return ask(prompt, &Secret::passphrase); }

Result<Secret> secret_argument(const Arguments& arguments) {
  return secret_of(arguments, {"--passphrase-stdin", "--passphrase-fd", "--keyfile", "--recovery-stdin"});
}

Result<Secret> file_secret_argument(const Arguments& arguments) {
  return secret_of(arguments,
                   {"--file-passphrase-stdin", "--file-passphrase-fd", "--file-keyfile", "--file-recovery-stdin"});
}

Result<Secret> new_passphrase(const Arguments& arguments) {
  CHECK(arguments.at_most_one_of({"--new-passphrase-stdin", "--new-passphrase-fd"}));
  if (arguments.has("--new-passphrase-stdin")) return secret_from(kInput, &Secret::passphrase);
  if (arguments.has("--new-passphrase-fd")) {
    return secret_from(TRY(descriptor_of(arguments, "--new-passphrase-fd")), &Secret::passphrase);
  }
  if (!can_ask())
    return Status::error(ErrorCode::SecretInvalid, "no new passphrase was given, and nobody can be asked");
  Secret typed = TRY(ask_passphrase("New passphrase: "));
  const Secret again = TRY(ask_passphrase("The same again: "));
  if (typed.same_as(again)) return typed;
  return Status::error(ErrorCode::SecretInvalid, "the two passphrases differ");
}

Result<Secret> new_key_file(const Arguments& arguments) {
  const auto path = arguments.value("--new-keyfile");
  if (!path) return usage_error("key add-keyfile needs --new-keyfile FILE");
  return key_file_at(*path);
}

Result<Secret> first_secret(const Arguments& arguments) {
  Secret secret = TRY(secret_argument(arguments));
  return secret ? Result<Secret>(std::move(secret)) : new_passphrase(arguments);
}

Status ask_recovery_key_again(const NewRecoveryKey& made) {
  const Secret typed = TRY(ask("Type the recovery key to confirm that you have it: ", &Secret::recovery_key));
  if (typed.same_as(made.secret)) return {};
  return Status::error(ErrorCode::SecretInvalid, "this is another recovery key");
}

}  // namespace vitrine::cli
