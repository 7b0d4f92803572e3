// SPDX-License-Identifier: MIT OR Apache-2.0
// The JSON form of a record. Apart, because the JSON library is slow to compile.
#include <nlohmann/json.hpp>

#include "cli/record.hpp"

namespace vitrine::cli {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Record& record);

Json json_of(const std::vector<Record>& rows) {
  Json array = Json::array();
  for (const Record& row : rows) array.push_back(json_of(row));
  return array;
}

template <typename Scalar>
Json json_of(const Scalar& value) {
  return Json(value);
}

Json json_of(const Record& record) {
  Json object = Json::object();
  for (const Field& field : record.fields()) {
    object[field.name] = std::visit([](const auto& value) { return json_of(value); }, field.value);
  }
  return object;
}

}  // namespace

std::string to_json(const Record& record) {
  return json_of(record).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace vitrine::cli
