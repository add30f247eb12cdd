#include "test/process/sim_support.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <regex>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace troupe::test {

namespace {

void redirect(const std::string& path, int to) {
  dup2(open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600), to);
}

} // namespace

scratch_folder::scratch_folder() {
  auto name = (fs::temp_directory_path() / "troupe-sim-XXXXXX").string();
  if (!mkdtemp(name.data()))
    throw std::runtime_error("mkdtemp");
  path_ = name;
}

scratch_folder::~scratch_folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string scratch_folder::write(const std::string& name, const std::string& text) const {
  std::ofstream(path_ / name) << text;
  return path(name);
}

std::string scratch_folder::replica(const std::string& fault) const {
  const auto link = path_ / ("replica-" + fault);
  if (!fs::exists(link))
    fs::create_symlink(FAULTY_REPLICA, link);
  return link.string();
}

simulator::simulator(const scratch_folder& folder, const std::vector<std::string>& arguments)
    : out_(folder.path("out")), err_(folder.path("err")) {
  std::vector<char*> argv{const_cast<char*>(TROUPE_SIM)};
  for (const auto& argument : arguments)
    argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::ofstream(err_).flush();
  // Orphans come to us, so that they do not stay zombies where no init collects them.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  process_ = fork();
  if (process_ == 0) {
    redirect(out_, STDOUT_FILENO);
    redirect(err_, STDERR_FILENO);
    execv(argv[0], argv.data());
    _exit(127);
  }
}

simulator::~simulator() {
  if (process_ > 0)
    signal(SIGKILL);
  wait();
}

std::vector<pid_t> simulator::await_replicas(std::size_t count) const {
  std::set<pid_t> groups;
  const std::regex line("started as ([0-9]+)\n");
  eventually([&] {
    const auto text = err();
    for (std::sregex_iterator at(text.begin(), text.end(), line), end; at != end; ++at)
      groups.insert(std::stoi((*at)[1]));
    return groups.size() >= count;
  });
  return {groups.begin(), groups.end()};
}

void simulator::signal(int number) const { kill(process_, number); }

int simulator::wait() {
  int status = 0;
  if (process_ < 0)
    return 0;
  waitpid(std::exchange(process_, -1), &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

std::string simulator::read(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::set<std::string> outcome::complaints() const {
  std::set<std::string> kinds;
  for (const auto& complaint : run()["complaints"].GetArray())
    kinds.insert(std::string(complaint["replica"].GetString()) + " " + complaint["kind"].GetString());
  return kinds;
}

bool outcome::failed(const std::string& part) const {
  for (const auto& check : run()["failed_checks"].GetArray())
    if (std::string(check.GetString()).find(part) != std::string::npos)
      return true;
  return false;
}

std::string contents(const std::string& path) {
  std::ostringstream text;
  if (fs::is_regular_file(path) || path.starts_with("/proc/")) // a device has no end
    text << std::ifstream(path).rdbuf();
  return text.str();
}

pid_t begin(const scratch_folder& folder, const std::vector<std::string>& words, const streams& s) {
  std::vector<char*> argv;
  for (const auto& w : words)
    argv.push_back(const_cast<char*>(w.c_str()));
  argv.push_back(nullptr);
  const auto home = folder.path("");
  const auto process = fork();
  if (process < 0)
    throw std::runtime_error("fork failed");
  if (process == 0) {
    if (chdir(home.c_str()) == 0 && dup2(open(s.in.c_str(), O_RDONLY), 0) == 0) {
      redirect(s.out, 1);
      redirect("err", 2);
      execv(argv[0], argv.data());
    }
    _exit(127);
  }
  return process;
}

called call(const scratch_folder& folder, const std::vector<std::string>& words, const streams& s) {
  const auto process = begin(folder, words, s);
  int status = 0;
  if (waitpid(process, &status, 0) != process)
    throw std::runtime_error("waitpid failed");
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status),
          contents((fs::path(folder.path("")) / s.out).string()), contents(folder.path("err"))};
}

outcome simulate(const scratch_folder& folder, std::vector<std::string> arguments) {
  const auto report = folder.path("report.json");
  arguments.insert(arguments.end(), {"--json", report});
  simulator sim(folder, arguments);
  outcome result;
  result.status = sim.wait();
  result.out = sim.out();
  result.err = sim.err();
  std::ostringstream text;
  text << std::ifstream(report).rdbuf();
  result.report.Parse(text.str());
  return result;
}

bool all_gone(const std::vector<pid_t>& groups) {
  return eventually([&] {
    for (pid_t group : groups) {
      while (waitpid(-group, nullptr, WNOHANG) > 0) {
      }
      if (kill(-group, 0) == 0 || errno != ESRCH)
        return false;
    }
    return true;
  });
}

} // namespace troupe::test
