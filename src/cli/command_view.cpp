// SPDX-License-Identifier: MIT OR Apache-2.0
// `view`: the viewer. Shows the same answers as `inspect`.
#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"
#include "cli/view_terminal.hpp"

namespace vitrine::cli {
namespace {

constexpr std::uint64_t kCacheSize = std::uint64_t{4} << 20;  // each look at keys opens the database anew
constexpr std::uint64_t kTickMs = 1000;

}  // namespace

Status run_view(const Arguments& arguments, Console&) {
  const std::string path = arguments.database();
  const std::chrono::milliseconds tick{TRY(arguments.duration_ms("--interval")).value_or(kTickMs)};
  Options options = TRY(secret_options(arguments));
  options.cache_size = kCacheSize;
  const view::Looker look = [&](const inspect::Request& request) { return inspect::look(path, request, options); };
  CHECK(ask_to_look(path, options));
  CHECK(look(view::request_of(inspect::View::Header)).status());
  view::Model model(printable(path), look, arguments.has("--watch"));
  return view::run_in_terminal(model, tick);
}

}  // namespace vitrine::cli
