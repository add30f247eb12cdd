#pragma once
// What all programs do with their command lines.

#include <CLI/CLI.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::app {

/// A call that cannot be carried out; `what()` is one line that says why.
struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What is said in several lines, as one.
std::string one_line(std::string text);

/// `1 run`, `2 runs`.
std::string counted(std::uint64_t number, std::string_view what);

/// Reads the arguments; every program has a --version, and no argument may be empty. False if there is
/// nothing left to do, after --help. Throws usage_error.
bool read_arguments(CLI::App& app, int argc, char** argv);

/// All that is in a file; `-` is the standard input. Throws usage_error.
std::string read_file(const std::string& path);

/// Where temporary files go. Throws usage_error that names the variable which says where, if nothing is
/// there.
std::filesystem::path temporary_folder();

/// Throws usage_error if a file that is about to be written is one of those that are read: it would be empty
/// before that. `-` is the standard input or output.
void refuse_to_overwrite(const std::string& written, const std::vector<std::string>& read);

/// Throws usage_error if a file is named more than once, by whatever names.
void refuse_repeated(const std::vector<std::string>& read);

/// Throws usage_error if two of these would be written into one file. Empty ones are none.
void refuse_to_mix(const std::vector<std::string>& written);

/// All of a program: what `run` returns, or `bad_input` and one line that says why it could not go on. That
/// is also so if what was printed did not get to where it belongs, if memory is used up, and if a file grows
/// beyond a limit.
int run_program(const std::string& name, int bad_input, const std::function<int()>& run);

/// For options that take a seed or a term; CLI11 itself takes -1 for a large number.
CLI::Validator whole_number_check();

/// No run takes longer: twelve days, in seconds.
inline constexpr double longest_seconds = 1e6;

/// For options that take a number of seconds; CLI::Range lets "nan" pass.
CLI::Validator seconds_check(double least, double most);

} // namespace troupe::app
