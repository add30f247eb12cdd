#include "app/sim/terminal.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>

namespace troupe::sim {

namespace {

constexpr std::size_t bar_width = 30;
constexpr std::size_t default_columns = 80;
constexpr auto redraw_interval = std::chrono::milliseconds(100);

bool is_terminal(int descriptor) {
  const char* term = std::getenv("TERM");
  return isatty(descriptor) == 1 && !(term && std::string_view(term) == "dumb");
}

std::size_t columns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : default_columns;
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

} // namespace

bool wants_colour(int descriptor) {
  const char* no_colour = std::getenv("NO_COLOR");
  return is_terminal(descriptor) && !(no_colour && *no_colour);
}

terminal::terminal(std::size_t runs)
    : interactive_(is_terminal(STDERR_FILENO)), colour_(wants_colour(STDERR_FILENO)), runs_(runs) {}

terminal::~terminal() { wipe(); }

void terminal::line(const std::string& text, bool dim) {
  const std::lock_guard lock(mutex_);
  wipe();
  print(dim && colour_ ? fmt::format("\033[2m{}\033[0m\n", text) : text + "\n");
  draw();
}

void terminal::progress(std::size_t run, const run_progress& state) {
  if (!interactive_)
    return;
  const std::lock_guard lock(mutex_);
  active_[run] = state;
  wipe();
  draw();
}

void terminal::finished(std::size_t run) {
  const std::lock_guard lock(mutex_);
  ++done_;
  active_.erase(run);
}

void terminal::count(bool passed) {
  const std::lock_guard lock(mutex_);
  counting_ = true;
  ++done_;
  failed_ += passed ? 0 : 1;
  const auto now = std::chrono::steady_clock::now();
  if (now - counted_ < redraw_interval)
    return;
  counted_ = now;
  wipe();
  draw();
}

std::string terminal::counts() const {
  const auto full = done_ * bar_width / std::max<std::size_t>(runs_, 1);
  const auto seconds = in_seconds(std::chrono::steady_clock::now() - begun_);
  return fmt::format("[{}{}] {}/{} runs, {:.0f} a second, {} failed", std::string(full, '#'),
                     std::string(bar_width - full, '-'), done_, runs_,
                     static_cast<double>(done_) / std::max(seconds, 1e-3), failed_);
}

std::string terminal::bar(const run_progress& state) const {
  const auto share = std::clamp(in_seconds(state.elapsed) / in_seconds(state.total), 0.0, 1.0);
  const auto full = static_cast<std::size_t>(share * static_cast<double>(bar_width));
  const auto left = std::max(in_seconds(state.total - state.elapsed), 0.0);
  return fmt::format("[{}{}] {} {:.0f} s, {:.0f} s left, leader {}", std::string(full, '#'),
                     std::string(bar_width - full, '-'), state.scenario, in_seconds(state.elapsed), left,
                     state.leader == nobody ? "unknown" : to_string(state.leader));
}

std::string terminal::status() const {
  if (counting_)
    return counts();
  std::string text = fmt::format("{}/{} ", done_, runs_);
  if (active_.size() == 1)
    return text + bar(active_.begin()->second);
  for (const auto& [run, state] : active_)
    text +=
        fmt::format("{} {:.0f}/{:.0f} s ({})  ", state.scenario, in_seconds(state.elapsed),
                    in_seconds(state.total), state.leader == nobody ? "no leader" : to_string(state.leader));
  return text;
}

void terminal::draw() {
  if (!interactive_ || (active_.empty() && !counting_))
    return;
  // A line that wraps could not be wiped away.
  print(status().substr(0, columns() - 1));
  drawn_ = true;
}

void terminal::wipe() {
  if (drawn_)
    print("\r\033[K");
  drawn_ = false;
}

} // namespace troupe::sim
