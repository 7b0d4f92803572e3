// SPDX-License-Identifier: MIT OR Apache-2.0
// A view of something that can be called, for visitors that are called once for each of many values: two pointers, and
// never an allocation. Valid as long as what it was made of.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace vitrine::base {

template <typename Signature>
class FunctionRef;

template <typename R, typename... Args>
class FunctionRef<R(Args...)> {
 public:
  template <typename Callable,
            typename = std::enable_if_t<!std::is_same_v<std::remove_cvref_t<Callable>, FunctionRef> &&
                                        std::is_invocable_r_v<R, Callable&, Args...>>>
  FunctionRef(Callable&& callable) noexcept  // implicit, as std::function is
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(callable)))),
        call_([](void* object, Args... args) -> R {
          return (*static_cast<std::add_pointer_t<std::remove_reference_t<Callable>>>(object))(
              std::forward<Args>(args)...);
        }) {}

  R operator()(Args... args) const { return call_(object_, std::forward<Args>(args)...); }

 private:
  void* object_;
  R (*call_)(void*, Args...);
};

}  // namespace vitrine::base
