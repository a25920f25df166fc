//! Two sessions in memory, by subject.

mod data;
mod handshake;
mod hostile;
mod platform;
mod questions;
mod resumption;
mod settings;
mod verify;
