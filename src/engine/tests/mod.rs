//! Two sessions in memory, by subject.

mod consent;
mod data;
mod handshake;
mod hostile;
#[cfg(unix)]
mod openssl_alone;
mod platform;
mod psk;
mod questions;
mod record;
mod record_hostile;
mod resumption;
mod settings;
mod verify;
mod wire;
