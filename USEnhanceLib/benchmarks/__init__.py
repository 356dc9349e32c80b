"""One command for each published table: `registry` names them, each lives in a module of its own."""
