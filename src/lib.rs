//! c4tls: TLS for Node.js on tokio threads.
//!
//! | room | what it holds |
//! |---|---|
//! | [`error`] | the one error type |
//! | [`engine`] | TLS over bytes: no socket, no clock, no JavaScript |
//! | [`credentials`] | PEM, PKCS#12, certificates and their files, sealed secrets |
//! | [`framing`] | bytes to messages: delimiters, lines, records; WebSocket |
//! | [`policy`] | limits and deadlines |
//! | [`text`] | code pages |
//! | [`transport`] | listen, connect, TCP, Unix sockets and pipes |
//! | [`driver`] | one task per connection, one per server: the only place that composes the rooms above |
//! | `bridge` | the only code that knows Node-API |

pub mod credentials;
pub mod driver;
pub mod engine;
pub mod error;
pub mod framing;
pub mod policy;
pub mod text;
pub mod transport;

/// Left out of unit tests: its callers are in JavaScript.
#[cfg(not(test))]
mod bridge;

#[cfg(test)]
mod mutate;
