// SPDX-License-Identifier: MIT OR Apache-2.0
#include "format/log_seal.hpp"

#include <algorithm>

#include "base/try.hpp"

namespace vitrine::format {

Result<std::unique_ptr<LogSeal>> LogSeal::make(std::shared_ptr<const crypto::KeyRing> keys, const crypto::Salt& salt,
                                               std::uint64_t bytes_max) {
  std::shared_ptr<const crypto::AeadKey> own_key = TRY(keys->session_key(crypto::Purpose::Log, salt));
  return std::unique_ptr<LogSeal>(new LogSeal(std::move(keys), salt, std::move(own_key), bytes_max));
}

Status LogSeal::seal(Lsn lsn, std::span<const std::byte> header, std::span<std::byte> payload, crypto::Tag& tag) const {
  CHECK(ceiling_.count(header.size() + payload.size()));
  return own_key_->seal(crypto::counter_nonce(lsn), header, payload, tag);
}

bool LogSeal::open(std::span<const std::byte, kFrameSaltSize> salt, Lsn lsn, std::span<const std::byte> header,
                   std::span<std::byte> payload, const crypto::Tag& tag) const {
  crypto::Salt named;
  std::copy(salt.begin(), salt.end(), named.begin());
  if (named == salt_) return own_key_->open(crypto::counter_nonce(lsn), header, payload, tag);
  const Result<std::shared_ptr<const crypto::AeadKey>> key = keys_->session_key(crypto::Purpose::Log, named);
  return key.has_value() && (*key)->open(crypto::counter_nonce(lsn), header, payload, tag);
}

}  // namespace vitrine::format
