#pragma once
// Is there an order of one key's operations that explains their answers? The search of Wing and Gong (Testing
// and verifying concurrent objects, 1993) with the cache of Lowe (Testing for linearizability, 2017), in a
// loop instead of a recursion, and with six rules that leave out orders that need not be tried.
//
// A step can be the next one if it was called before the first end among the steps that were not yet taken:
// the frontier. It is taken out of the list of events together with its end, and put back if nothing follows.
//
// The rules, each with the reason why it loses no answer. Let S be a shortest order that explains the rest.
//  1. A step that changes nothing and fits is taken at once, with no alternative: S with that step moved to
//     its start explains the rest too.
//  2. Of several steps with the same effect that could be next, only the one with the earliest end is tried
//     (steps without an end come last, by call): if S begins with a later one, exchange the two. A step that
//     has to be taken does not make way for one that may be missing. Unless something avoids a value, all
//     steps that set one that nobody wants, which is to meet it or what it could grow into, count as having
//     the same effect: whichever it is, only appends fit before the next step that sets a value.
//  3. An open step is tried only if some step that could come after it depends on the value it leaves: if
//     what follows it in S does not, or nothing does, S without it explains the rest and is shorter. (Passing
//     over a step that may be missing changes nothing, so in S that can come first.) An append depends on it
//     only if somebody wants the value, or if something avoids one: what an append makes of another value may
//     be avoided.
//  4. A configuration is left alone if one with fewer open steps taken, and otherwise equal, was seen: S
//     explains its rest too (see configurations.hpp).
//  5. A step is not taken if somebody has yet to meet what the key holds, or what that could grow into, or
//     what needs the piece that the step adds, and nothing would be left that could lead there: there is no S
//     (see prospects.hpp).
//  6. Where nobody wants what the key holds, a step that sets a value is taken at once if all who want that
//  one
//     are reads that could be next; they follow by rule 1. With all of these moved to its start S explains
//     the rest too: until the next step that sets a value nothing but appends fits, neither at the start nor
//     behind the place that the step leaves. (Behind that place something may be avoided that the step had
//     replaced, so this is not done if anything avoids a value.) What nobody wants then counts as what nobody
//     can observe: the one is left the same way as the other.
// Of several steps that could be next the one with the earliest end is tried first: often that is the order
// in which they took effect.
//
// If all configurations seen lead nowhere although one of them has an explanation, take the one with the
// shortest: its first step leads to one with a shorter explanation, or to one that was left alone for another
// with an explanation no longer than that. Either contradicts the choice.

#include "cluster/history/budget.hpp"
#include "cluster/history/configurations.hpp"
#include "cluster/history/key_history.hpp"
#include "cluster/history/prospects.hpp"

#include <utility>

namespace troupe::history {

enum class search_end { explained, impossible, out_of_time, out_of_memory };

class search {
 public:
  search(key_history& history, budget& costs);

  search_end run();
  /// After `impossible`: the place of an end so that all that ended before can be explained. Because of rule
  /// 5 it need not be the last such place.
  std::uint32_t furthest() const { return furthest_; }
  /// After `explained`: operations in an order that explains them, and those that were passed over at any
  /// place.
  std::vector<std::uint32_t> order() const;

 private:
  /// A choice that was made, and where to go on if it was wrong.
  struct choice {
    std::size_t taken = 0; ///< how many steps had been
    value_id value = 0;    ///< what the key held
    std::uint32_t frontier = 0;
    std::uint32_t cursor = 0; ///< the place of the end of the last step that was tried; the head: all were
    std::uint32_t open = 0;   ///< then: the next one among the open steps
    bool avoided = false;     ///< whether a step that could be next avoids the value
  };
  struct links {
    std::uint32_t before = 0;
    std::uint32_t after = 0;
  };
  static constexpr std::uint32_t is_open = 0x80000000;

  void settle();
  void take_fitting();
  bool take_forgotten();
  std::int32_t readers_at_hand(value_id value) const;
  bool unwanted(value_id value) const { return !history_.avoids && prospects_.wanted(value) == 0; }
  void find_alternatives(std::uint32_t behind);
  bool advance(choice& c);
  bool try_event(std::uint32_t place);
  bool try_open(std::uint32_t number, bool avoided);
  void take(std::uint32_t number);
  void take_back(std::size_t count);
  bool is_new();

  void unlink(std::uint32_t place);
  void relink(std::uint32_t place);
  value_id after(const step& s);
  bool earlier_twin(const step& s) const;
  bool has_twin(std::uint32_t number) const;
  bool avoided() const;
  bool noticed(std::uint32_t number, value_id made) const;
  step& step_of(std::uint32_t taken) {
    return (taken & is_open) != 0 ? history_.open_steps[taken & ~is_open] : history_.steps[taken];
  }
  template <class Condition>
  bool any_callable(Condition condition) const;

  bool ended() const { return list_[head_].after == head_; }
  bool is_taken(std::uint32_t open) const { return (open_taken()[open / 64] >> open % 64U & 1U) != 0; }
  std::uint64_t* open_taken() { return &configuration_[1 + slot_words_]; }
  const std::uint64_t* open_taken() const { return &configuration_[1 + slot_words_]; }

  key_history& history_;
  budget& costs_;
  std::uint32_t head_;
  std::size_t slot_words_;
  std::size_t open_words_;
  std::vector<links> list_; ///< of the events, by place; the last one is the head
  /// One word of frontier and value, then slots, then open steps. A slot's bit is toggled whenever a step in
  /// it is taken: as all steps that ended before the frontier are taken, the bits and the frontier say which
  /// others are.
  std::vector<std::uint64_t> configuration_;
  configurations seen_;
  prospects prospects_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> alternatives_; ///< places of ends and calls
  std::vector<std::uint32_t> taken_; ///< steps in order; with `is_open` a number of an open step
  std::vector<choice> choices_;
  value_id value_;
  std::uint32_t frontier_ = 0; ///< the place of the first end
  std::uint32_t furthest_ = 0;
};

} // namespace troupe::history
