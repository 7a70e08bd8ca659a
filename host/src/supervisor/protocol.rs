//! What hubcap and a supervisor say to each other, over a connection that is the supervisor's standard input.
//!
//! Invariant: a message is its length and its bytes; descriptors come with the length.

use std::ffi::OsString;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::cmsg_space;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::program::Identity;

/// Bytes of a message: arguments, variables, and room.
const MAX_MESSAGE: usize = 8 << 20;
/// Descriptors that come with a message: input, output, errors, directory.
const DESCRIPTORS: usize = 4;

/// What to watch over. The program's input, output and errors come with it, and its directory where it is
/// given one.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    /// What to run.
    pub(crate) target: Target,
    /// Whether it works in the directory that comes with this; else in one of its own.
    pub(crate) given: bool,
    /// A directory that is not there yet, for this program alone.
    pub(crate) own: OsString,
    /// How long it may run.
    pub(crate) deadline_ms: u64,
    /// How long it has to end by itself.
    pub(crate) grace_ms: u64,
    /// Processes that may be there at once.
    pub(crate) processes: usize,
}

/// A program, ready to run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Target {
    /// What it sees as its own name.
    pub(crate) name: OsString,
    /// Where its file is.
    pub(crate) path: OsString,
    /// Which file that has to be.
    pub(crate) identity: Identity,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// All of its environment.
    pub(crate) environment: Vec<(String, OsString)>,
}

/// What to become. The program's input comes with it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Launch {
    /// What to run.
    pub(super) target: Target,
    /// The supervisor.
    pub(super) parent: i32,
    /// A directory for a link of the program's name.
    pub(super) links: OsString,
}

/// What a supervisor says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Report {
    /// It could not be started.
    Failed(Failure),
    /// It has ended, and so has everything that came of it.
    Ended(Ended),
}

/// Why a program was not started.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Failure {
    /// Its file is another one.
    Changed,
    /// The system says no.
    System(String),
}

/// How a program ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ended {
    /// Its exit code.
    pub(crate) code: Option<i32>,
    /// The signal that ended it.
    pub(crate) signal: Option<i32>,
    /// Its deadline came.
    pub(crate) timed_out: bool,
    /// It had more processes than it may.
    pub(crate) too_many: bool,
}

/// The byte by which hubcap asks for the end.
pub(crate) const STOP: u8 = b'T';

/// What comes with a message is for nobody who is started later.
#[cfg(target_os = "linux")]
const CLOSED_FOR_PROGRAMS: RecvFlags = RecvFlags::CMSG_CLOEXEC;
#[cfg(not(target_os = "linux"))]
const CLOSED_FOR_PROGRAMS: RecvFlags = RecvFlags::empty();

/// Sends a message and what comes with it.
pub(crate) fn send<T: Serialize>(
    to: &UnixStream,
    message: &T,
    descriptors: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let message = serde_json::to_vec(message)?;
    let length = u32::try_from(message.len()).map_err(io::Error::other)?.to_le_bytes();
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(io::Error::other("too many descriptors"));
    }
    let sent = sendmsg(to, &[IoSlice::new(&length)], &mut control, SendFlags::empty())?;
    let mut to = to;
    to.write_all(&length[sent..])?;
    to.write_all(&message)
}

/// Receives a message and what comes with it.
pub(super) fn receive<T: DeserializeOwned>(from: &UnixStream) -> io::Result<(T, Vec<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut length = [0; 4];
    let received =
        recvmsg(from.as_fd(), &mut [IoSliceMut::new(&mut length)], &mut control, CLOSED_FOR_PROGRAMS)?;
    let descriptors = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    let descriptors: Vec<OwnedFd> = descriptors.flatten().collect();
    #[cfg(not(target_os = "linux"))]
    close_fds::set_fds_cloexec(3, &[]);
    let mut from = from;
    from.read_exact(&mut length[received.bytes..])?;
    let length = u32::from_le_bytes(length) as usize;
    if length > MAX_MESSAGE {
        return Err(io::Error::other("the message is too long"));
    }
    let mut message = vec![0; length];
    from.read_exact(&mut message)?;
    Ok((serde_json::from_slice(&message)?, descriptors))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Write};
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    use super::{MAX_MESSAGE, receive, send};

    #[test]
    fn a_message_comes_with_its_descriptors() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (mut reader, writer) = std::io::pipe().unwrap();
        send(&ours, &"hello", &[writer.as_fd()]).unwrap();
        drop(writer);
        let (message, mut descriptors) = receive::<String>(&theirs).unwrap();
        assert_eq!((message.as_str(), descriptors.len()), ("hello", 1));
        File::from(descriptors.remove(0)).write_all(b"through").unwrap();
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "through");
        send(&theirs, &7, &[]).unwrap();
        assert_eq!(receive::<u8>(&ours).unwrap().0, 7);
    }

    #[test]
    fn a_message_of_8_mib_is_read_and_a_longer_one_is_not() {
        let sent = |bytes: usize| {
            let (ours, theirs) = UnixStream::pair().unwrap();
            let sending = std::thread::spawn(move || send(&ours, &"x".repeat(bytes - 2), &[]).is_ok());
            let received = receive::<String>(&theirs).map(|(message, _)| message.len());
            drop(theirs);
            sending.join().unwrap();
            received.ok()
        };
        assert_eq!(sent(MAX_MESSAGE), Some(MAX_MESSAGE - 2));
        assert_eq!(sent(MAX_MESSAGE + 1), None);
    }

    #[test]
    fn a_connection_that_ends_amid_a_message_is_an_error() {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        ours.write_all(&[9, 0, 0, 0, b'"']).unwrap();
        drop(ours);
        assert!(receive::<String>(&theirs).is_err());
    }
}
