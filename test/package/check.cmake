# Installs the build and lets another project use it.
# Wants: BUILD (a build directory), SOURCE (this folder), WORK (a folder to write to), BUILD_TYPE
file(REMOVE_RECURSE ${WORK})
foreach(step
    "${CMAKE_COMMAND};--install;${BUILD};--prefix;${WORK}/prefix"
    "${CMAKE_COMMAND};-S;${SOURCE};-B;${WORK}/build;-G;Ninja;-DCMAKE_PREFIX_PATH=${WORK}/prefix;-DCMAKE_CXX_FLAGS=${FLAGS}"
    "${CMAKE_COMMAND};--build;${WORK}/build"
    "${WORK}/build/user"
    "${WORK}/prefix/bin/troupe-replica;--version"
    "${WORK}/prefix/bin/troupe-sim;--help"
    "${WORK}/prefix/bin/troupe-check;history;--help")
  execute_process(COMMAND ${step} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${step}\n${output}")
  endif()
endforeach()
