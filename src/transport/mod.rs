//! Sockets: listening, connecting, one stream type over TCP and Unix sockets, and UDP.

mod connect;
mod listen;
mod stream;
mod udp;

pub use connect::{connect_path, connect_tcp, ConnectError, ConnectOptions};
pub use listen::{Accepted, BindOptions, Listener};
pub use stream::{ReadHalf, SocketAddress, SocketOptions, Stream, WriteHalf};
pub use udp::{shown, with_interface, BoundUdp, Fault, Udp, UdpOptions};
