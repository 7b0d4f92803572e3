// SPDX-License-Identifier: MIT OR Apache-2.0
// A database as data: header, pages, log, tree, keys and space, for tools that explain a file. The program's `inspect`
// prints exactly these structures; docs/schemas/ describes each.
//
// It opens nothing for writing and needs no intact database: pages are decoded one by one, with the engine's own
// decoders, so a file that cannot be opened any more can still be looked at. Beside a living writer it holds the newest
// checkpoint, as every reader does, for the time of the call.
//
//   inspect::Request request;
//   request.view = inspect::View::Pages;
//   Result<inspect::Value> pages = inspect::look("app.vtr", request);
//   std::puts(inspect::to_json(inspect::envelope("inspect pages", pages)).c_str());
//
// Thread safety: the functions share nothing and may be called from any thread. A Value is a plain value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "vitrine/options.hpp"
#include "vitrine/status.hpp"

namespace vitrine::inspect {

struct Member;

// One JSON value: nothing, a truth, a number, text, a list, or named members in order. Numbers that name something and
// may need all 64 bits (sessions, tags) are text of 16 hexadecimal digits, because many readers keep only 53 bits.
class Value {
 public:
  using List = std::vector<Value>;
  using Members = std::vector<Member>;

  Value() noexcept;
  Value(bool value) noexcept;           // NOLINT: implicit by design, all of them
  Value(std::uint64_t value) noexcept;  // NOLINT
  Value(std::uint32_t value) noexcept;  // NOLINT
  Value(double value) noexcept;         // NOLINT
  Value(std::string value);             // NOLINT
  Value(std::string_view value);        // NOLINT
  Value(const char* value);             // NOLINT
  Value(List value);                    // NOLINT
  Value(const Value&);
  Value(Value&&) noexcept;
  Value& operator=(const Value&);
  Value& operator=(Value&&) noexcept;
  ~Value();
  static Value object();

  // Adds a member. REQUIRES: is_object().
  Value& add(std::string_view name, Value value) &;
  Value&& add(std::string_view name, Value value) &&;

  bool is_null() const noexcept { return std::holds_alternative<std::monostate>(data_); }
  bool is_object() const noexcept { return std::holds_alternative<Members>(data_); }
  const Value* find(std::string_view name) const noexcept;  // a member; null when there is none
  const Members* members() const noexcept { return std::get_if<Members>(&data_); }
  const List* list() const noexcept { return std::get_if<List>(&data_); }
  const std::string* text() const noexcept { return std::get_if<std::string>(&data_); }
  const std::uint64_t* number() const noexcept { return std::get_if<std::uint64_t>(&data_); }
  const double* fraction() const noexcept { return std::get_if<double>(&data_); }
  const bool* truth() const noexcept { return std::get_if<bool>(&data_); }

 private:
  std::variant<std::monostate, bool, std::uint64_t, double, std::string, List, Members> data_;
};

struct Member {
  std::string name;
  Value value;
};

enum class View : std::uint8_t {
  Header,     // the four header blocks and which of them counts
  Pages,      // one row for each page, from page `from` on
  Page,       // page `from`: its fields with offsets and meanings, and what it holds
  Log,        // segments, and frames from LSN `from` on
  Tree,       // node `from` (0: the root) and its children
  Keys,       // entries in key order, from the position `from` that an earlier answer gave
  Catalog,    // keyspaces
  Space,      // runs of pages in use and of free pages, from page `from` on
  Snapshots,  // who holds which checkpoint
  Cache,      // counters of a handle opened for this look
  Health,     // what an administrator should know, with advice
};

// How much of the content an answer may show. Structure is sizes, counts and places.
// Automatic is structure for an encrypted file, keys for another.
enum class Disclosure : std::uint8_t { Structure, Keys, Values, Automatic };

struct Request {
  View view = View::Header;
  std::string from;  // see View; empty: the start
  std::uint64_t limit = 100;
  Disclosure disclosure = Disclosure::Automatic;
};

std::string_view view_name(View view) noexcept;
std::optional<View> view_named(std::string_view name) noexcept;

// The payload of one view. Of an encrypted file without Options::secret header, pages, page, log, snapshots and health
// tell what can be known from outside; the others answer KeyRequired. The cost follows what is shown, not the size of
// the file; Keys, Catalog, Cache and Health also read the log when the database can be opened. Damage that was met is
// in the payload. Errors: the file errors, NotDatabase, VersionUnsupported, KeyMismatch, NotEncrypted, HeaderDamaged
// (no page can be placed), ArgumentInvalid (`from`).
Result<Value> look(const std::string& path, const Request& request, const Options& options = {});

// {schema, command, ok, payload, error}: what the commands that tell the state of a file print with --json. `schema`
// grows when a member changes its meaning or goes away; new members do not change it. A verdict is what the payload
// amounts to, such as DamageFound: then `error` stands beside the payload.
inline constexpr std::uint64_t kSchemaVersion = 1;
Value envelope(std::string_view command, const Result<Value>& payload, const Status& verdict = {});

std::string to_json(const Value& value);  // one line; text that is not UTF-8 has its bad bytes replaced

}  // namespace vitrine::inspect
