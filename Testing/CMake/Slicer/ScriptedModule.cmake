# Stand-in for slicerMacroBuildScriptedModule() and the copying and installing that CTK does for it.
#
# - A listed file that does not exist stops configure; a script may be listed without its .py.
# - Only listed files are copied to the build tree, keeping their sub-folder; only the build tree is installed.
# - WITH_SUBDIR puts everything in a folder named after the source folder, which makes a package of it.
# - An unknown keyword stops configure.

function(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(module "WITH_GENERIC_TESTS;WITH_SUBDIR;VERBOSE" "NAME" "SCRIPTS;RESOURCES" ${ARGN})
  if(module_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "Unknown keywords given to slicerMacroBuildScriptedModule(): ${module_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT module_NAME)
    message(FATAL_ERROR "NAME is mandatory")
  endif()
  if(NOT module_SCRIPTS)
    message(FATAL_ERROR "SCRIPTS is mandatory")
  endif()

  set(destination ${CMAKE_BINARY_DIR}/${Slicer_QTSCRIPTEDMODULES_LIB_DIR})
  if(module_WITH_SUBDIR)
    get_filename_component(folder ${CMAKE_CURRENT_SOURCE_DIR} NAME)
    set(destination ${destination}/${folder})
    set(installed ${destination})
  else()
    # The slash means: what is in the folder, not the folder. So this installs what other modules put there too.
    set(installed ${destination}/)
  endif()

  set(copies)
  foreach(kind IN ITEMS SCRIPTS RESOURCES)
    foreach(file IN LISTS module_${kind})
      get_filename_component(extension ${file} EXT)
      if(kind STREQUAL "SCRIPTS" AND NOT extension MATCHES "py")
        set(file ${file}.py)
      endif()
      set(source ${CMAKE_CURRENT_SOURCE_DIR}/${file})
      if(NOT EXISTS ${source})
        message(FATAL_ERROR "slicerMacroBuildScriptedModule(${kind}) given nonexistent file or directory '${file}'")
      endif()
      add_custom_command(
        OUTPUT ${destination}/${file}
        COMMAND ${CMAKE_COMMAND} -E copy ${source} ${destination}/${file}
        DEPENDS ${source}
        VERBATIM
        )
      list(APPEND copies ${destination}/${file})
    endforeach()
  endforeach()
  add_custom_target(Copy${module_NAME}Files ALL DEPENDS ${copies})

  install(DIRECTORY ${installed}
    DESTINATION ${Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR}
    COMPONENT RuntimeLibraries
    USE_SOURCE_PERMISSIONS
    )
endfunction()
