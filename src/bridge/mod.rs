//! The only code that knows Node-API: environments, the event queue, handles, conversion.

mod certificate_store;
mod connection;
mod datagram;
mod environment;
mod framing;
mod generate;
mod identity;
mod listener;
mod negotiated;
mod params;
mod pin;
mod queue;
mod secure_context;
mod sni_table;
mod text;
mod throw;
mod wake;
mod websocket;
mod write;
