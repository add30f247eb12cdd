#pragma once

#include "actors/surroundings.hpp"

#include <cstdint>

namespace troupe {

/// A replica's clock: its own idea of how fast time goes, and what time it is.
class virtual_clock : public actors::timepiece {
 public:
  /// Shows true time.
  virtual_clock() = default;
  instant shown_at(instant t) const override;
  instant when_shown(instant shown) const override;

  /// From moment `t` on it runs at this rate, in millionths of true time; above 0.
  void set_rate(std::int64_t rate, instant t);
  /// At moment `t` it jumps forward.
  void jump(duration d, instant t);

 private:
  static constexpr std::int64_t true_rate = 1'000'000;
  instant since_{}; ///< when rate or offset last changed, in true time
  instant shown_{}; ///< what it showed then
  std::int64_t rate_ = true_rate;
};

} // namespace troupe
