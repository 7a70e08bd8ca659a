//! `wasi:cli`: there for the sake of ordinary guests, and empty.
//!
//! Invariant: nothing of the host's own environment, arguments or streams is reachable here.

use std::fmt;

use bytes::Bytes;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::cli::{
    environment, exit, stderr, stdin, stdout, terminal_input, terminal_output, terminal_stderr,
    terminal_stdin, terminal_stdout,
};
use wasmtime_wasi::p2::pipe::ClosedInputStream;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, OutputStream, Pollable, StreamResult};

use crate::imports::Imports;
use crate::imports::log::{GuestLog, Stream};

/// Bytes that one write may carry. The log takes everything at once, so this is no limit on the sum.
const WRITE_PERMIT: usize = 64 << 10;

/// The guest ended itself. That ends its call; the host goes on.
#[derive(Debug)]
pub(crate) struct GuestExit(pub(crate) u8);

impl fmt::Display for GuestExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the plugin called exit({})", self.0)
    }
}

impl std::error::Error for GuestExit {}

impl environment::Host for Imports {
    fn get_environment(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        Ok(Vec::new())
    }

    fn get_arguments(&mut self) -> wasmtime::Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn initial_cwd(&mut self) -> wasmtime::Result<Option<String>> {
        Ok(None)
    }
}

impl exit::Host for Imports {
    fn exit(&mut self, status: Result<(), ()>) -> wasmtime::Result<()> {
        self.exit_with_code(u8::from(status.is_err()))
    }

    fn exit_with_code(&mut self, status_code: u8) -> wasmtime::Result<()> {
        Err(GuestExit(status_code).into())
    }
}

impl stdin::Host for Imports {
    fn get_stdin(&mut self) -> wasmtime::Result<Resource<DynInputStream>> {
        Ok(self.table.push(Box::new(ClosedInputStream) as DynInputStream)?)
    }
}

impl stdout::Host for Imports {
    fn get_stdout(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        push_sink(self, Stream::Stdout)
    }
}

impl stderr::Host for Imports {
    fn get_stderr(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        push_sink(self, Stream::Stderr)
    }
}

fn push_sink(imports: &mut Imports, stream: Stream) -> wasmtime::Result<Resource<DynOutputStream>> {
    let sink = Sink { log: imports.log.clone(), stream };
    Ok(imports.table.push(Box::new(sink) as DynOutputStream)?)
}

/// A guest's standard output or error: lines for the log. It is always ready and keeps nothing
/// itself, so that no number of writes, empty ones included, makes the host hold more.
struct Sink {
    log: GuestLog,
    stream: Stream,
}

#[async_trait::async_trait]
impl Pollable for Sink {
    async fn ready(&mut self) {}
}

#[async_trait::async_trait]
impl OutputStream for Sink {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.log.bytes(self.stream, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_PERMIT)
    }
}

impl terminal_input::Host for Imports {}

impl terminal_input::HostTerminalInput for Imports {
    fn drop(&mut self, terminal: Resource<terminal_input::TerminalInput>) -> wasmtime::Result<()> {
        self.table.delete(terminal)?;
        Ok(())
    }
}

impl terminal_output::Host for Imports {}

impl terminal_output::HostTerminalOutput for Imports {
    fn drop(&mut self, terminal: Resource<terminal_output::TerminalOutput>) -> wasmtime::Result<()> {
        self.table.delete(terminal)?;
        Ok(())
    }
}

impl terminal_stdin::Host for Imports {
    fn get_terminal_stdin(&mut self) -> wasmtime::Result<Option<Resource<terminal_stdin::TerminalInput>>> {
        Ok(None)
    }
}

impl terminal_stdout::Host for Imports {
    fn get_terminal_stdout(&mut self) -> wasmtime::Result<Option<Resource<terminal_stdout::TerminalOutput>>> {
        Ok(None)
    }
}

impl terminal_stderr::Host for Imports {
    fn get_terminal_stderr(&mut self) -> wasmtime::Result<Option<Resource<terminal_stderr::TerminalOutput>>> {
        Ok(None)
    }
}
