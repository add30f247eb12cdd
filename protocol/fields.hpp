#pragma once
// One list of fields for each struct, from which the JSON codec, the trace and CAF's inspection are derived.
//
//   struct example {
//     static constexpr std::string_view type_name = "example";
//     term_number term;
//     static constexpr auto fields() { return std::tuple{field{"term", &example::term}}; }
//   };

#include <string_view>
#include <tuple>

namespace troupe {

/// A member of `Struct` and the name it goes by outside the program.
template <class Struct, class Member>
struct field {
  std::string_view name;
  Member Struct::*member;
  constexpr field(std::string_view n, Member Struct::*m) : name(n), member(m) {}
};

/// True for structs that list their fields.
template <class T>
concept has_fields = requires {
  T::type_name;
  T::fields();
};

/// Calls `visit(name, member)` for each field of `object`, in the order of the list.
template <class T, class Visit>
constexpr void for_each_field(T& object, Visit&& visit) {
  std::apply([&](const auto&... f) { (visit(f.name, object.*(f.member)), ...); },
             std::remove_const_t<T>::fields());
}

} // namespace troupe
