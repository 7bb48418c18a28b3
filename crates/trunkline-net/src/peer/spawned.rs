//! Calls that run elsewhere than on the connection's task.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::task::JoinHandle;
use trunkline_core::{Answer, BoxRunning, Fault, Format, Reply, Running, handler::Run, procedure};

/// Puts a call where it is to run.
pub(crate) fn placed(running: BoxRunning, run: Run, format: Format, limit: usize) -> BoxRunning {
    match run {
        Run::Parallel => Box::pin(Spawned(tokio::spawn(procedure::finish(running, format, limit)))),
        Run::Blocking => {
            let runtime = tokio::runtime::Handle::current();
            let finish = procedure::finish(running, format, limit);
            Box::pin(Spawned(tokio::task::spawn_blocking(move || runtime.block_on(finish))))
        }
        _ => running,
    }
}

/// A call on another task; dropping it aborts that task.
struct Spawned(JoinHandle<Answer>);

impl Running for Spawned {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        reply: &mut Reply<'_>,
    ) -> Poll<Result<(), Fault>> {
        let outcome = match ready!(Pin::new(&mut self.0).poll(cx)) {
            Ok(answer) => answer,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(error) => Err(Fault::internal(error)),
        };
        Poll::Ready(outcome.and_then(|payload| reply.write_encoded(&payload.borrow())))
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        self.0.abort();
    }
}
