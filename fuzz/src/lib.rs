//! The core's engine and framing, compiled from the main crate's own sources: the main crate cannot be linked into a program, its
//! `bridge` needs the functions of Node-API.

// Helpers of the engine's tests that no target needs.
#![allow(dead_code)]

#[path = "../../src/credentials/mod.rs"]
pub mod credentials;
#[path = "../../src/engine/mod.rs"]
pub mod engine;
#[path = "../../src/error.rs"]
pub mod error;
#[path = "../../src/framing/mod.rs"]
pub mod framing;
