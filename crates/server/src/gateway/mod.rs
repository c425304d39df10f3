//! The gateway: everything between a TCP connection and the frames of a session.

pub mod http;
pub mod tls;
