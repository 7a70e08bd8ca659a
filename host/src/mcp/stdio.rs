//! Standard input and output, without a thread's detour where the system allows it.
//!
//! Invariant: other processes may share the descriptors, so their flags are as before when we are done.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::pin::Pin;
use std::task::{Context, Poll};

use rmcp::transport::io::stdio_pipes;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;

/// Standard input.
pub(super) type Input = Box<dyn AsyncRead + Send + Unpin>;

/// Standard output.
pub(super) type Output = Box<dyn AsyncWrite + Send + Unpin>;

/// Opens both. Pipes and sockets (what Node gives to its children) are waited for by the runtime; files
/// and terminals are read and written by threads of its own.
pub(super) fn open() -> (Input, Output) {
    // Both before either changes: they may be one.
    let flags = (Flags::of(io::stdin()), Flags::of(io::stdout()));
    let (reader, writer) = stdio_pipes();
    let input = flags.0.and_then(Socket::new).map_or_else(|| Box::new(reader) as Input, |it| Box::new(it));
    let output = flags.1.and_then(Socket::new).map_or_else(|| Box::new(writer) as Output, |it| Box::new(it));
    (input, output)
}

/// The flags of a descriptor, which it gets back on drop.
struct Flags {
    file: File,
    before: OFlags,
}

impl Flags {
    fn of(stream: impl AsFd) -> Option<Self> {
        let file = File::from(stream.as_fd().try_clone_to_owned().ok()?);
        let before = fcntl_getfl(&file).ok()?;
        Some(Self { file, before })
    }
}

impl Drop for Flags {
    fn drop(&mut self) {
        // Nothing can be done about a descriptor that refuses, and nobody is left to be told.
        let _ = fcntl_setfl(&self.file, self.before);
    }
}

/// A socket of this machine.
struct Socket {
    stream: UnixStream,
    _flags: Flags,
}

impl Socket {
    /// The descriptor, if it is such a socket, and not also the one for errors: whoever writes there
    /// expects to wait.
    fn new(flags: Flags) -> Option<Self> {
        let about = flags.file.metadata().ok()?;
        let errors = File::from(io::stderr().as_fd().try_clone_to_owned().ok()?).metadata().ok()?;
        let shared = (errors.dev(), errors.ino()) == (about.dev(), about.ino());
        if !about.file_type().is_socket() || shared {
            return None;
        }
        let stream = std::os::unix::net::UnixStream::from(OwnedFd::from(flags.file.try_clone().ok()?));
        // Only a socket of this machine has such an address.
        stream.local_addr().ok()?;
        stream.set_nonblocking(true).ok()?;
        Some(Self { stream: UnixStream::from_std(stream).ok()?, _flags: flags })
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    use rustix::fs::{OFlags, fcntl_getfl};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::{Flags, Socket};

    const LARGE: usize = 4_000_000;

    #[tokio::test]
    async fn a_socket_is_read_and_written_and_gets_its_flags_back() {
        let (near, mut far) = UnixStream::pair().unwrap();
        let waits = |stream: &UnixStream| !fcntl_getfl(stream).unwrap().contains(OFlags::NONBLOCK);
        let (first, second) = (Flags::of(&near).unwrap(), Flags::of(&near).unwrap());
        let (mut input, mut output) = (Socket::new(first).unwrap(), Socket::new(second).unwrap());
        assert!(!waits(&near));
        let answer = tokio::task::spawn_blocking(move || {
            far.write_all(b"ping").unwrap();
            let mut answer = vec![0; LARGE];
            far.read_exact(&mut answer).map(|()| answer)
        });
        let mut read = [0; 4];
        input.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"ping");
        output.write_all(&vec![b'x'; LARGE]).await.unwrap();
        assert_eq!(answer.await.unwrap().unwrap(), vec![b'x'; LARGE]);
        drop((input, output));
        assert!(waits(&near));
    }

    #[tokio::test]
    async fn the_end_of_a_socket_is_seen() {
        let (near, far) = UnixStream::pair().unwrap();
        let mut socket = Socket::new(Flags::of(near).unwrap()).unwrap();
        drop(far);
        assert_eq!(socket.read(&mut [0; 4]).await.unwrap(), 0);
        assert_eq!(socket.write(b"x").await.unwrap_err().kind(), std::io::ErrorKind::BrokenPipe);
    }

    #[tokio::test]
    async fn files_and_sockets_of_the_network_are_left_to_others() {
        let file = tempfile::tempfile().unwrap();
        assert!(Socket::new(Flags::of(file).unwrap()).is_none());
        let network = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        assert!(Socket::new(Flags::of(network).unwrap()).is_none());
    }
}
