#include "cluster/script/selection.hpp"

#include "cluster/script/story.hpp"

#include <algorithm>

namespace troupe::script {

namespace {

template <std::size_t... I>
std::vector<std::string_view> names_of(std::index_sequence<I...>) {
  return {std::variant_alternative_t<I, peer_message>::type_name...};
}

template <std::size_t... I>
std::vector<peer_message> one_of_each(std::index_sequence<I...>) {
  return {peer_message(std::in_place_index<I>)...};
}

constexpr std::make_index_sequence<std::variant_size_v<peer_message>> each_type;

template <class Meaning>
std::uint64_t as_number(number<Meaning> n) {
  return n.value;
}
std::uint64_t as_number(replica_id id) { return id == nobody ? 0 : number_of(id); }
std::uint64_t as_number(bool b) { return b ? 1 : 0; }
std::uint64_t as_number(std::uint64_t n) { return n; }
std::uint64_t as_number(const std::string& s) { return s.size(); }
template <class T>
std::uint64_t as_number(const std::vector<T>& list) {
  return list.size();
}

bool among(const std::vector<replica_id>& list, replica_id id) {
  return list.empty() || std::find(list.begin(), list.end(), id) != list.end();
}

} // namespace

const std::vector<std::string_view>& message_types() {
  static const auto names = names_of(each_type);
  return names;
}

std::optional<std::uint64_t> field_of(const peer_message& m, std::string_view name) {
  std::optional<std::uint64_t> found;
  std::visit(
      [&](const auto& message) {
        for_each_field(message, [&](std::string_view n, const auto& member) {
          if (n == name)
            found = as_number(member);
        });
      },
      m);
  return found;
}

bool is_field(std::string_view name) {
  static const auto examples = one_of_each(each_type);
  return std::any_of(examples.begin(), examples.end(),
                     [name](const peer_message& m) { return field_of(m, name).has_value(); });
}

std::string describe(const peer_message& m) {
  std::string text(message_types()[m.index()]);
  std::visit(
      [&text](const auto& message) {
        for_each_field(message, [&text](std::string_view name, const auto& member) {
          text += fmt::format(" {} {}", name, as_number(member));
        });
      },
      m);
  return text;
}

bool selection::matches(replica_id sender, replica_id receiver, const peer_message& m) const {
  return (types.empty() || std::find(types.begin(), types.end(), m.index()) != types.end()) &&
         among(from, sender) && among(to, receiver) &&
         std::all_of(conditions.begin(), conditions.end(),
                     [&m](const condition& c) { return field_of(m, c.field) == c.value; }) &&
         std::none_of(but.begin(), but.end(),
                      [&](const selection& s) { return s.matches(sender, receiver, m); });
}

} // namespace troupe::script
