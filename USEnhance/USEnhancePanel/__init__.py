"""What the panel needs of Qt: the worker process over QProcess, and work in turns of the event loop."""
