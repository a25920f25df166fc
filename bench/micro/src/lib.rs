//! The parts of the core that the benchmarks measure, compiled from the main crate's own sources.
//!
//! The main crate itself cannot be linked into a program: its `bridge` needs the functions of Node-API, which only Node
//! has.

pub mod bridge;
pub mod driver;

#[path = "../../../src/credentials/mod.rs"]
pub mod credentials;
#[path = "../../../src/engine/mod.rs"]
pub mod engine;
#[path = "../../../src/error.rs"]
pub mod error;
#[path = "../../../src/framing/mod.rs"]
pub mod framing;
#[path = "../../../src/policy/mod.rs"]
pub mod policy;
