# Writes a text file into a C++ source, as a function that returns it.
#   cmake -DOUTPUT=<file.cpp> -DINPUT=<file> -DHEADER=<header> -DNAMESPACE=<a::b> -DFUNCTION=<name> -P embed_text.cmake
#
# In pieces: a compiler need not take literals of any length.
file(READ "${INPUT}" text)
string(LENGTH "${text}" length)
set(piece 16000)
set(literals "")
set(at 0)
while(at LESS length)
  string(SUBSTRING "${text}" ${at} ${piece} part)
  string(APPEND literals "    R\"~text~(${part})~text~\"\n")
  math(EXPR at "${at} + ${piece}")
endwhile()
file(WRITE "${OUTPUT}" "#include \"${HEADER}\"

namespace ${NAMESPACE} {

std::string_view ${FUNCTION}() {
  using namespace std::string_view_literals;
  return
${literals}    \"\"sv;
}

} // namespace ${NAMESPACE}
")
