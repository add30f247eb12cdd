# Writes the scenario files into a C++ source.
#   cmake -DOUTPUT=<file.cpp> -DFOLDER=<folder> -DNAMES=<name,name,...> -P embed_scenarios.cmake
string(REPLACE "," ";" names "${NAMES}")
list(LENGTH names count)
set(rows "")
foreach(name IN LISTS names)
  file(READ ${FOLDER}/${name}.json text)
  string(APPEND rows "    {\"${name}\", R\"scenario(${text})scenario\"},\n")
endforeach()
file(WRITE ${OUTPUT} "#include \"cluster/builtin_scenarios.hpp\"

namespace troupe {

static constexpr builtin_scenario table[${count}] = {
${rows}};

std::span<const builtin_scenario> builtin_scenarios() { return table; }

} // namespace troupe
")
