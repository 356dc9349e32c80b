"""The benchmark of enhancement, a module for each of its tables; `run` names them."""
