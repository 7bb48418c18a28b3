//! [`Child`]: a process that was started to be spoken with.

use std::{
    io,
    pin::Pin,
    process::Stdio,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    process::{self, ChildStdin, ChildStdout, Command},
};

/// The standard output of a process as what can be read, its standard input as
/// what can be written. Shutting down closes its input, which is how a process
/// is told to end; dropping kills it.
#[derive(Debug)]
pub(super) struct Child {
    output: ChildStdout,
    input: Option<ChildStdin>,
    _process: process::Child,
}

impl Child {
    /// Starts a process; what it writes to its standard error goes where ours goes.
    pub(super) fn start(program: &str, args: &[String]) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn()?;
        let lost = || io::Error::other("the process was started without its standard streams");
        let output = process.stdout.take().ok_or_else(lost)?;
        let input = process.stdin.take();
        Ok(Self { output, input, _process: process })
    }
}

impl AsyncRead for Child {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.output).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Child {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.input {
            Some(input) => Pin::new(input).poll_write(cx, bytes),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.input.as_mut().map_or(Poll::Ready(Ok(())), |input| Pin::new(input).poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.input = None;
        Poll::Ready(Ok(()))
    }
}
