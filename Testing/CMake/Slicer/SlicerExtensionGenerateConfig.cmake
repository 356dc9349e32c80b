# Stand-in: Slicer writes here the <Extension>Config.cmake that other extensions find.
file(WRITE ${CMAKE_BINARY_DIR}/${EXTENSION_NAME}Config.cmake "set(${EXTENSION_NAME}_FOUND TRUE)\n")
