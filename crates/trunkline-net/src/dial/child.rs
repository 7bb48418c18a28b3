//! [`Child`]: a process that was started to be spoken with.

use std::{
    future::Future,
    io,
    pin::Pin,
    process::Stdio,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    process::{self, ChildStdin, ChildStdout, Command},
    sync::oneshot,
    time::timeout,
};

/// How long a process has to end once its input is closed.
const GRACE: Duration = Duration::from_secs(10);
/// How much of what nobody listens to any more is read at a time.
const IGNORED: usize = 4 << 10;

/// The standard output of a process as what can be read, its standard input as
/// what can be written.
///
/// Shutting down closes its input, which is how a process is told to end, and
/// waits until it has, unless it had hung up before. A process that takes longer
/// than ten seconds for it is killed, also if this is dropped meanwhile. All are
/// waited for by somebody, so none becomes a zombie.
#[derive(Debug)]
pub(super) struct Child {
    output: ChildStdout,
    input: Option<ChildStdin>,
    /// Whether the process closed its output before it was told to end.
    hung_up: bool,
    /// Dropped when the process is to end.
    wanted: Option<oneshot::Sender<()>>,
    /// Fails when the process has ended.
    ended: Option<oneshot::Receiver<()>>,
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
        let (wanted, unwanted) = oneshot::channel();
        let (running, ended) = oneshot::channel();
        tokio::spawn(async move {
            see_off(process, unwanted).await;
            drop(running);
        });
        Ok(Self { output, input, hung_up: false, wanted: Some(wanted), ended: Some(ended) })
    }
}

/// Waits for a process, which has to end some time after it is unwanted.
async fn see_off(mut process: process::Child, unwanted: oneshot::Receiver<()>) {
    tokio::select! {
        _ = process.wait() => return,
        _ = unwanted => {}
    }
    if timeout(GRACE, process.wait()).await.is_err() {
        tracing::warn!(id = process.id(), grace = ?GRACE, "a child process did not end with its input: killing it");
        if let Err(error) = process.kill().await {
            tracing::warn!(%error, "a child process could not be killed");
        }
    }
}

impl AsyncRead for Child {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.output).poll_read(cx, buffer))?;
        self.hung_up |= buffer.filled().len() == before && buffer.remaining() > 0;
        Poll::Ready(Ok(()))
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

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let child = &mut *self;
        (child.input, child.wanted) = (None, None);
        if child.hung_up || child.ended.as_mut().is_none_or(|ended| Pin::new(ended).poll(cx).is_ready()) {
            child.ended = None;
            return Poll::Ready(Ok(()));
        }
        // one that still has something to say must not have to wait for a listener
        let mut ignored = [0; IGNORED];
        loop {
            let mut ignored = ReadBuf::new(&mut ignored);
            match ready!(Pin::new(&mut child.output).poll_read(cx, &mut ignored)) {
                Ok(()) if !ignored.filled().is_empty() => {}
                _ => return Poll::Pending,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
        time::Instant,
    };

    #[tokio::test(start_paused = true)]
    async fn a_process_that_does_not_end_is_killed_and_leaves_nothing_behind() {
        let script = "echo $$; exec sleep 100000".to_owned();
        let mut child = BufReader::new(Child::start("sh", &["-c".to_owned(), script]).unwrap());
        let mut id = String::new();
        child.read_line(&mut id).await.unwrap();
        let is_there = || {
            let found = std::process::Command::new("kill").args(["-0", id.trim()]).output();
            found.unwrap().status.success()
        };
        assert!(is_there());
        let since = Instant::now();
        child.shutdown().await.unwrap();
        assert_eq!(since.elapsed().as_secs(), GRACE.as_secs());
        assert!(!is_there(), "not as a zombie either");
    }

    #[tokio::test]
    async fn a_process_that_hangs_up_keeps_nobody_waiting() {
        let script = "exec >&-; exec sleep 100000".to_owned();
        let mut child = Child::start("sh", &["-c".to_owned(), script]).unwrap();
        assert_eq!(child.read(&mut [0]).await.unwrap(), 0);
        child.shutdown().await.unwrap();
    }

    #[tokio::test]
    async fn a_process_that_ends_is_not_waited_for_any_longer() {
        let mut child = Child::start("cat", &[]).unwrap();
        child.write_all(b"said, and not heard").await.unwrap();
        child.shutdown().await.unwrap();
        child.shutdown().await.unwrap();
        assert!(child.write_all(b"more").await.is_err());
    }
}
