#pragma once
// What all programs do with their command lines.

#include <CLI/CLI.hpp>

#include <stdexcept>

namespace troupe::app {

/// A call that cannot be carried out; `what()` is one line that says why.
struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Reads the arguments. False if there is nothing left to do, after --help. Throws usage_error.
bool read_arguments(CLI::App& app, int argc, char** argv);

/// For options that take a seed; CLI11 itself takes -1 for a large number.
CLI::Validator seed_check();

} // namespace troupe::app
