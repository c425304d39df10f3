//! The byte stream under a connection, plain or TLS, and its two halves.
//!
//! It neither frames nor limits anything.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio_rustls::server::TlsStream;

/// A TCP connection, or TLS over one.
#[derive(Debug)]
pub(crate) enum Stream {
    /// As it comes from the listener.
    Plain(TcpStream),
    /// After the handshake. Boxed: TLS state is a kilobyte that plain connections need not carry.
    Tls(Box<TlsStream<TcpStream>>),
}

/// The half that reads.
#[derive(Debug)]
pub(crate) enum ReadStream {
    Plain(OwnedReadHalf),
    Tls(ReadHalf<Box<TlsStream<TcpStream>>>),
}

/// The half that writes. Dropping a plain one sends FIN.
#[derive(Debug)]
pub(crate) enum WriteStream {
    Plain(OwnedWriteHalf),
    Tls(WriteHalf<Box<TlsStream<TcpStream>>>),
}

impl Stream {
    /// Two halves for one task or two. The plain ones share no lock.
    pub(crate) fn into_halves(self) -> (ReadStream, WriteStream) {
        match self {
            Self::Plain(stream) => {
                let (read, write) = stream.into_split();
                (ReadStream::Plain(read), WriteStream::Plain(write))
            }
            Self::Tls(stream) => {
                let (read, write) = tokio::io::split(stream);
                (ReadStream::Tls(read), WriteStream::Tls(write))
            }
        }
    }
}

impl WriteStream {
    /// Writes what the system takes now, without a task that would be told when it takes more:
    /// `None` if it takes nothing. After that the next `poll_write` asks to be told.
    pub(crate) fn try_write_vectored(
        &mut self,
        slices: &[io::IoSlice<'_>],
    ) -> io::Result<Option<usize>> {
        let written = match self {
            // One slice needs no list of slices in the kernel. Nor is the runtime asked whether it
            // knows of room: most often there is, and its answer lies far away in memory.
            Self::Plain(half) if slices.len() == 1 => SockRef::from(half.as_ref()).send(&slices[0]),
            Self::Plain(half) => half.try_write_vectored(slices),
            Self::Tls(half) => {
                let mut nobody = Context::from_waker(Waker::noop());
                match Pin::new(half).poll_write_vectored(&mut nobody, slices) {
                    Poll::Ready(written) => written,
                    Poll::Pending => return Ok(None),
                }
            }
        };
        match written {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            written => written.map(Some),
        }
    }

    /// Lets go of what TLS holds back: `false` if some of it has to wait. A plain stream holds
    /// nothing back.
    pub(crate) fn try_flush(&mut self) -> io::Result<bool> {
        match self {
            Self::Plain(_) => Ok(true),
            Self::Tls(half) => {
                let mut nobody = Context::from_waker(Waker::noop());
                match Pin::new(half).poll_flush(&mut nobody) {
                    Poll::Ready(flushed) => flushed.map(|()| true),
                    Poll::Pending => Ok(false),
                }
            }
        }
    }
}

/// Both implementations below only choose the variant.
macro_rules! delegate_read {
    ($type:ty) => {
        impl AsyncRead for $type {
            fn poll_read(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                buffer: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                match self.get_mut() {
                    Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
                    Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
                }
            }
        }
    };
}

macro_rules! delegate_write {
    ($type:ty) => {
        impl AsyncWrite for $type {
            fn poll_write(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                match self.get_mut() {
                    Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
                    Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
                }
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                slices: &[io::IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                match self.get_mut() {
                    Self::Plain(stream) => Pin::new(stream).poll_write_vectored(context, slices),
                    Self::Tls(stream) => Pin::new(stream).poll_write_vectored(context, slices),
                }
            }

            fn is_write_vectored(&self) -> bool {
                match self {
                    Self::Plain(stream) => stream.is_write_vectored(),
                    Self::Tls(stream) => stream.is_write_vectored(),
                }
            }

            fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
                match self.get_mut() {
                    Self::Plain(stream) => Pin::new(stream).poll_flush(context),
                    Self::Tls(stream) => Pin::new(stream).poll_flush(context),
                }
            }

            fn poll_shutdown(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
            ) -> Poll<io::Result<()>> {
                match self.get_mut() {
                    Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
                    Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
                }
            }
        }
    };
}

delegate_read!(Stream);
delegate_read!(ReadStream);
delegate_write!(Stream);
delegate_write!(WriteStream);
