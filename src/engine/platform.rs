//! The operating system's stack.
