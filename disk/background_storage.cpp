#include "disk/background_storage.hpp"

#include "protocol/invariant.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace troupe::disk {

background_storage::background_storage(disk_log& log)
    : log_(log), done_signal_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (done_signal_ < 0)
    throw std::system_error(errno, std::generic_category(), "eventfd");
  worker_ = std::thread([this] { work(); });
}

std::string background_storage::stop() {
  if (!worker_.joinable())
    return {};
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  something_to_do_.notify_one();
  worker_.join();
  when_done_ = nullptr;
  ::close(done_signal_);
  return done_ ? done_->error : std::string();
}

std::optional<actors::sync_end> background_storage::sync(sync_hook when_done) {
  {
    const std::lock_guard lock(mutex_);
    require(!std::exchange(syncing_, true), "two syncs at a time");
    waiting_ = log_.take_batch();
    when_done_ = std::move(when_done);
  }
  something_to_do_.notify_one();
  return std::nullopt;
}

void background_storage::deliver() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto ignored = ::read(done_signal_, &count, sizeof count);
  std::unique_lock lock(mutex_);
  if (!done_)
    return;
  const auto end = *std::exchange(done_, std::nullopt);
  syncing_ = false;
  const auto tell = when_done_;
  lock.unlock();
  tell(end);
}

void background_storage::work() {
  std::unique_lock lock(mutex_);
  for (bool good = true; good;) {
    if (!log_.has_draft())
      something_to_do_.wait(lock, [this] { return waiting_ || ends_; });
    const auto b = std::exchange(waiting_, std::nullopt);
    if (!b && ends_) // what was handed over before the end is still stored
      return;
    lock.unlock();
    actors::sync_end end;
    try {
      b ? log_.store(*b) : log_.write_draft();
    } catch (const std::exception& error) {
      end.error = error.what();
    }
    good = end.error.empty();
    if (b || !good)
      tell(std::move(end));
    lock.lock();
  }
}

void background_storage::tell(actors::sync_end end) {
  {
    const std::lock_guard lock(mutex_);
    done_ = std::move(end);
  } // or who is woken would wait for this thread once more
  constexpr std::uint64_t one = 1;
  [[maybe_unused]] const auto ignored = ::write(done_signal_, &one, sizeof one);
}

} // namespace troupe::disk
