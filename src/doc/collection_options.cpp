// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/collection_options.hpp"

#include "base/try.hpp"
#include "doc/schema.hpp"

namespace vitrine::doc {
namespace {

constexpr Bytes kValidator = "validator", kExpirePath = "expirePath", kExpireAfter = "expireAfterSeconds";

Status refused(std::string_view why) { return Status::error(ErrorCode::ArgumentInvalid, why); }

}  // namespace

Result<ByteString> encode_options(const CollectionOptions& options) {
  Builder builder;
  if (count_members(options.validator.bson()) > 0) {
    CHECK(Schema::compile(options.validator.bson()).status());
    builder.add(kValidator, {Type::Object, options.validator.bson()});
  }
  if (options.expire_after_s.has_value() == options.expire_path.empty()) {
    return refused("expiry takes a path and a number of seconds");
  }
  if (options.expire_after_s) {
    const bool fits = *options.expire_after_s <= std::uint64_t{1} << 40;
    if (!fits || !parse_path(options.expire_path)) return refused("the path or the time of expiry is none");
    builder.add_string(kExpirePath, options.expire_path);
    builder.add_int64(kExpireAfter, static_cast<std::int64_t>(*options.expire_after_s));
  }
  return builder.finish();
}

Result<CollectionOptions> decode_options(Bytes bson) {
  CollectionOptions options;
  const Status damaged = Status::error(ErrorCode::DocumentMalformed, "damaged options of a collection");
  for (Elements walk(bson); const auto element = walk.next();) {
    const Value& value = element->value;
    if (element->name == kValidator && value.type == Type::Object) {
      options.validator = TRY(Document::from_bson(value.bytes));
    } else if (element->name == kExpirePath && value.type == Type::String) {
      options.expire_path = value.as_string();
    } else if (element->name == kExpireAfter && value.type == Type::Int64 && value.as_integer() >= 0) {
      options.expire_after_s = static_cast<std::uint64_t>(value.as_integer());
    } else {
      return damaged;
    }
  }
  return options.expire_after_s && !parse_path(options.expire_path) ? damaged : Result<CollectionOptions>(options);
}

}  // namespace vitrine::doc
