# Every dependency is found here, or refused with one line that names its Debian package.

function(troupe_missing what package)
  message(FATAL_ERROR "troupe needs ${what}: apt-get install ${package}")
endfunction()

find_package(CAF 0.17.6 QUIET COMPONENTS core)
if(NOT CAF_FOUND)
  troupe_missing("CAF 0.17.6 or a later 0.17" libcaf-dev)
endif()

find_package(fmt 9 QUIET)
if(NOT fmt_FOUND)
  troupe_missing("fmt 9" libfmt-dev)
endif()

find_package(CLI11 2 QUIET)
if(NOT CLI11_FOUND)
  troupe_missing("CLI11 2" libcli11-dev)
endif()

find_path(RAPIDJSON_INCLUDE_DIR rapidjson/document.h)
mark_as_advanced(RAPIDJSON_INCLUDE_DIR)
if(NOT RAPIDJSON_INCLUDE_DIR)
  troupe_missing("RapidJSON" rapidjson-dev)
endif()
find_path(XXHASH_INCLUDE_DIR xxhash.h)
mark_as_advanced(XXHASH_INCLUDE_DIR)
if(NOT XXHASH_INCLUDE_DIR)
  troupe_missing("xxHash" libxxhash-dev)
endif()
# Inlined: there is no library to link, for us or for whoever links us.
add_library(troupe_xxhash INTERFACE)
target_include_directories(troupe_xxhash SYSTEM INTERFACE ${XXHASH_INCLUDE_DIR})
target_compile_definitions(troupe_xxhash INTERFACE XXH_INLINE_ALL)

add_library(troupe_rapidjson INTERFACE)
target_include_directories(troupe_rapidjson SYSTEM INTERFACE ${RAPIDJSON_INCLUDE_DIR})
# std::string in, std::string out.
target_compile_definitions(troupe_rapidjson INTERFACE RAPIDJSON_HAS_STDSTRING=1)

find_package(ZLIB QUIET)
if(NOT ZLIB_FOUND)
  troupe_missing("zlib" zlib1g-dev)
endif()

find_path(ISAL_INCLUDE_DIR isa-l/crc.h)
find_library(ISAL_LIBRARY isal)
mark_as_advanced(ISAL_INCLUDE_DIR ISAL_LIBRARY)
if(NOT ISAL_INCLUDE_DIR OR NOT ISAL_LIBRARY)
  troupe_missing("ISA-L" libisal-dev)
endif()

if(TROUPE_BUILD_TESTS)
  find_package(doctest 2 QUIET)
  if(NOT doctest_FOUND)
    troupe_missing("doctest 2" doctest-dev)
  endif()
  find_package(rapidcheck QUIET)
  if(NOT rapidcheck_FOUND)
    troupe_missing("rapidcheck" librapidcheck-dev)
  endif()
endif()
