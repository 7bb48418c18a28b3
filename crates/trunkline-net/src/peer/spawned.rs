//! Calls that run elsewhere than on the connection's task.

use crate::conversation::busy;
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinHandle,
};
use tracing::Instrument;
use trunkline_core::{Answer, BoxRunning, Fault, Format, Reply, Running, handler::Run, procedure};

/// Puts a call where it is to run; on the pool of blocking threads, if there is
/// `room` for it, which it takes until it has left the pool again.
pub(crate) fn placed(
    running: BoxRunning,
    run: Run,
    format: Format,
    limit: usize,
    room: &Arc<Semaphore>,
) -> Result<BoxRunning, Fault> {
    let permit = match run {
        Run::Blocking => Some(room.clone().try_acquire_owned().map_err(|_| crowded())?),
        _ => None,
    };
    Ok(spawned(running, run, format, limit, permit))
}

/// The same for a call that is made inside of another: how many of those there are
/// is up to whoever wrote that one.
pub(crate) fn placed_within(running: BoxRunning, run: Run) -> BoxRunning {
    spawned(running, run, Format::Json, usize::MAX, None)
}

fn spawned(
    running: BoxRunning,
    run: Run,
    format: Format,
    limit: usize,
    permit: Option<OwnedSemaphorePermit>,
) -> BoxRunning {
    match run {
        Run::Parallel => {
            let finish = procedure::finish(running, format, limit).in_current_span();
            Box::pin(Spawned(tokio::spawn(finish)))
        }
        Run::Blocking => {
            let runtime = tokio::runtime::Handle::current();
            let finish = procedure::finish(running, format, limit).in_current_span();
            let work = move || {
                let _permit = permit;
                runtime.block_on(finish)
            };
            Box::pin(Spawned(tokio::task::spawn_blocking(work)))
        }
        _ => running,
    }
}

/// What is said of a call when those before it, cancelled ones too, are still on their threads.
#[cold]
fn crowded() -> Fault {
    busy().with_data(
        "as many blocking calls as may be under way have not ended yet, cancelled ones among them: \
         the limits `max_in_flight` and `max_batch`",
    )
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
