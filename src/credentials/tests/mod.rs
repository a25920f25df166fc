//! Tests with certificates of the engine's helpers.

mod identity;
