//! Sockets: listening, connecting, and one stream type over TCP and Unix sockets.

mod connect;
mod listen;
mod stream;

pub use connect::{connect_path, connect_tcp, ConnectError, ConnectOptions};
pub use listen::{Accepted, Listener};
pub use stream::{ReadHalf, SocketAddress, SocketOptions, Stream, WriteHalf};
