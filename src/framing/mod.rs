//! Bytes to messages and back: no socket, no clock, no JavaScript.

pub mod websocket;
