# Installs the programs, the libraries and a CMake package:
#
#   find_package(Troupe)  ->  Troupe::protocol, Troupe::trace, Troupe::actors, Troupe::disk, Troupe::course, Troupe::history, Troupe::cluster,
#                            Troupe::script
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_directory ${CMAKE_INSTALL_LIBDIR}/cmake/Troupe)
foreach(library protocol trace actors disk course history cluster script)
  set_target_properties(troupe_${library} PROPERTIES EXPORT_NAME ${library})
  target_compile_features(troupe_${library} PUBLIC cxx_std_20)
  install(TARGETS troupe_${library} EXPORT Troupe ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  add_library(Troupe::${library} ALIAS troupe_${library})
endforeach()
install(TARGETS troupe-check troupe-replica troupe-sim troupe-trace RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

foreach(folder protocol trace actors disk cluster)
  install(DIRECTORY ${folder}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/troupe/${folder}
          FILES_MATCHING PATTERN "*.hpp")
endforeach()

install(EXPORT Troupe NAMESPACE Troupe:: FILE TroupeTargets.cmake DESTINATION ${package_directory})
configure_package_config_file(cmake/TroupeConfig.cmake.in ${PROJECT_BINARY_DIR}/TroupeConfig.cmake
                              INSTALL_DESTINATION ${package_directory})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/TroupeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/TroupeConfig.cmake ${PROJECT_BINARY_DIR}/TroupeConfigVersion.cmake
              cmake/FindCAF.cmake
        DESTINATION ${package_directory})
