#include "cluster/virtual_clock.hpp"

namespace troupe {

namespace {

/// a * b / c, rounded down, without overflow on the way. Precondition: all at least 0.
std::int64_t scale(std::int64_t a, std::int64_t b, std::int64_t c) {
  __extension__ using wide = __int128;
  return static_cast<std::int64_t>(static_cast<wide>(a) * b / c);
}

} // namespace

instant virtual_clock::shown_at(instant t) const {
  return shown_ + duration(scale((t - since_).count(), rate_, true_rate));
}

instant virtual_clock::when_shown(instant shown) const {
  if (shown <= shown_)
    return since_ - (shown_ - shown); // in the past: how far does not matter
  const auto passed = duration(scale((shown - shown_).count(), true_rate, rate_));
  return since_ + passed + (shown_at(since_ + passed) < shown ? duration(1) : duration(0));
}

void virtual_clock::set_rate(std::int64_t rate, instant t) {
  shown_ = shown_at(t);
  since_ = t;
  rate_ = rate;
}

void virtual_clock::jump(duration d, instant t) {
  shown_ = shown_at(t) + d;
  since_ = t;
}

} // namespace troupe
