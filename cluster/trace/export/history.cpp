// What clients were told, as `troupe-check history` reads it.

#include "cluster/history/write.hpp"
#include "cluster/trace/export/exporter.hpp"
#include "cluster/trace/history_of.hpp"

namespace troupe::trace {

namespace {

class told_history : public exporter {
 public:
  explicit told_history(std::string& out) : out_(out) {}
  void take(const record& r) override { clients_.take(r); }
  void finish() override {
    const auto told = clients_.finish();
    if (told.is_cut)
      throw export_error("long values are cut in a trace, and appends need whole ones");
    if (told.operations.empty())
      throw export_error("no client asked anything in this trace");
    for (const auto& o : told.operations)
      history::write(o, out_);
  }

 private:
  std::string& out_;
  history_collector clients_;
};

} // namespace

std::unique_ptr<exporter> to_history(std::string& out) { return std::make_unique<told_history>(out); }

} // namespace troupe::trace
