# Stand-in: what Slicer checks about an extension before it packages it, and its description for the catalogue.
if(NOT EXTENSION_NAME STREQUAL PROJECT_NAME)
  message(FATAL_ERROR "EXTENSION_NAME [${EXTENSION_NAME}] differs from PROJECT_NAME [${PROJECT_NAME}]")
endif()

set(_description)
foreach(_field IN ITEMS HOMEPAGE CATEGORY CONTRIBUTORS DESCRIPTION ICONURL SCREENSHOTURLS DEPENDS)
  if("${EXTENSION_${_field}}" STREQUAL "")
    message(FATAL_ERROR "EXTENSION_${_field} is either not defined or empty")
  endif()
  string(TOLOWER ${_field} _name)
  string(APPEND _description "${_name} ${EXTENSION_${_field}}\n")
endforeach()
file(WRITE ${CMAKE_BINARY_DIR}/${EXTENSION_NAME}.s4ext "${_description}")
install(FILES ${CMAKE_BINARY_DIR}/${EXTENSION_NAME}.s4ext
  DESTINATION ${Slicer_INSTALL_ROOT}share/Slicer-${Slicer_VERSION}
  COMPONENT RuntimeLibraries
  )
