#include "cluster/virtual_disk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe {

using disk::disk_error;

// ---- what happens to bytes and names

void virtual_disk::apply(const change& c, std::string& to) {
  if (c.cut_to)
    return to.resize(*c.cut_to);
  to.resize(std::max(to.size(), c.offset + c.bytes.size()));
  std::copy(c.bytes.begin(), c.bytes.end(), to.begin() + static_cast<std::ptrdiff_t>(c.offset));
}

void virtual_disk::apply(const renaming& r, names& to) {
  for (const auto& [name, f] : r)
    if (f)
      to[name] = f;
    else
      to.erase(name);
}

void virtual_disk::lose_power() {
  for (auto& r : std::exchange(unsynced_names_, {}))
    if (random_.chance(0.5))
      apply(r, durable_names_);
  // A file that only a process knew is gone; one of two names is still one file.
  names_ = durable_names_;
  for (auto& [name, f] : names_) {
    for (auto& c : std::exchange(f->unsynced, {})) {
      if (random_.chance(0.3))
        continue;
      if (!c.cut_to && random_.chance(0.5))
        c.bytes.resize(random_.below(c.bytes.size() + 1));
      apply(c, f->durable);
    }
    f->content = f->durable;
  }
  interrupt_at_ = 0;
  hook_ = nullptr;
  interrupted_ = failed_ = false;
}

// ---- faults

void virtual_disk::interrupt(std::size_t operations, std::function<void()> hook) {
  interrupt_at_ = operations_ + operations;
  hook_ = std::move(hook);
}

void virtual_disk::mend() {
  interrupt_at_ = fail_at_ = 0;
  hook_ = nullptr;
  reads_fail_ = false;
}

void virtual_disk::fail_at(std::size_t operations, std::string words) {
  fail_at_ = operations_ + operations;
  failure_ = std::move(words);
}

void virtual_disk::flip(const std::string& name, std::size_t byte, unsigned bit) {
  auto& f = find(name);
  for (auto* text : {&f.content, &f.durable})
    text->at(byte) = static_cast<char>(static_cast<unsigned char>(text->at(byte)) ^ (1U << bit));
}

bool virtual_disk::begin_operation(const std::string& name) {
  if (interrupted_)
    return false;
  ++operations_;
  if (operations_ == interrupt_at_) {
    interrupted_ = true;
    if (const auto hook = std::exchange(hook_, nullptr))
      hook();
    return false;
  }
  if (operations_ == fail_at_) {
    failed_ = true;
    throw disk_error(fmt::format("{}: {}", name, failure_));
  }
  return true;
}

// ---- as a process sees it

virtual_disk::file& virtual_disk::find(const std::string& name) {
  const auto found = names_.find(name);
  if (found == names_.end())
    throw disk_error(fmt::format("{}: no such file", name));
  return *found->second;
}

void virtual_disk::change_file(const std::string& name, change c) {
  if (interrupted_)
    return;
  auto& f = find(name);
  if (operations_ + 1 == fail_at_ && !c.cut_to) { // half of it may be there
    change half{c.offset, c.bytes.substr(0, random_.below(c.bytes.size() + 1)), std::nullopt};
    apply(half, f.content);
    f.unsynced.push_back(std::move(half));
  }
  if (!begin_operation(name))
    return;
  apply(c, f.content);
  f.unsynced.push_back(std::move(c));
}

void virtual_disk::change_names(renaming r) {
  if (!begin_operation(r.front().first))
    return;
  apply(r, names_);
  unsynced_names_.push_back(std::move(r));
}

std::vector<std::string> virtual_disk::list() {
  std::vector<std::string> all;
  for (const auto& [name, f] : names_)
    all.push_back(name);
  return all;
}

std::string virtual_disk::read(const std::string& name) {
  if (reads_fail_) {
    failed_ = true;
    throw disk_error(fmt::format("{}: Input/output error", name));
  }
  return find(name).content;
}

void virtual_disk::create(const std::string& name, std::size_t reserved_bytes) {
  auto f = std::make_shared<file>();
  f->content = f->durable = std::string(reserved_bytes, '\0');
  change_names({{name, std::move(f)}});
}

void virtual_disk::write(const std::string& name, std::size_t offset, std::string_view bytes) {
  change_file(name, {offset, std::string(bytes), std::nullopt});
}

void virtual_disk::truncate(const std::string& name, std::size_t bytes) { change_file(name, {0, {}, bytes}); }

void virtual_disk::sync(const std::string& name) {
  if (interrupted_)
    return;
  auto& f = find(name);
  if (!begin_operation(name) || lies_)
    return;
  for (const auto& c : std::exchange(f.unsynced, {}))
    apply(c, f.durable);
}

void virtual_disk::rename(const std::string& from, const std::string& to) {
  if (interrupted_)
    return;
  find(from);
  change_names({{to, names_.at(from)}, {from, nullptr}});
}

void virtual_disk::remove(const std::string& name) {
  if (interrupted_)
    return;
  find(name);
  change_names({{name, nullptr}});
}

void virtual_disk::sync_directory() {
  if (!begin_operation(".") || lies_)
    return;
  for (const auto& r : std::exchange(unsynced_names_, {}))
    apply(r, durable_names_);
}

} // namespace troupe
