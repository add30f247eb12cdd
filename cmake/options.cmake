# What every target of ours is compiled with. Linked as a target so that it stays out of dependants.
add_library(troupe_options INTERFACE)
target_compile_options(troupe_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion $<$<BOOL:${TROUPE_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 sees uninitialised members wherever a std::variant of structs is moved.
  target_compile_options(troupe_options INTERFACE -Wno-maybe-uninitialized)
endif()
if(CMAKE_UNITY_BUILD)
  # Names of one file are not hidden by another's that is only compiled beside it; the other presets see real ones.
  target_compile_options(troupe_options INTERFACE -Wno-shadow)
endif()
if(TROUPE_SANITIZE)
  # null and vptr trip inside CAF's own headers. The other three make a third of what is compiled and find little here:
  # the only casts of pointers are to bytes and to sockaddr, and an access outside of an object is ASan's to see.
  set(flags -fsanitize=${TROUPE_SANITIZE} -fno-sanitize=null,vptr,alignment,object-size,pointer-overflow
      -fno-omit-frame-pointer)
  if(TROUPE_SANITIZE MATCHES "undefined")
    list(APPEND flags -fno-sanitize-recover=undefined)
  endif()
  target_compile_options(troupe_options INTERFACE ${flags})
  target_link_options(troupe_options INTERFACE ${flags})
endif()
if(TROUPE_FUZZ)
  # The fuzzer is led by what its input reaches, in the libraries too.
  target_compile_options(troupe_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(troupe_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
