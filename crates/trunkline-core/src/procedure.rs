//! [`Procedure`]: a named piece of work, here or elsewhere, erased behind one trait.

use crate::{
    args::{Asked, Step},
    call::Call,
    check::Check,
    fault::Fault,
    lag::Lag,
    payload::{Format, OwnedPayload},
    reply::Reply,
    schema::Schemas,
    signature::Signature,
    states::States,
};
use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context as TaskContext, Poll},
};

/// Anything that can take a call: a handler here, or a node elsewhere.
pub trait Procedure: Send + Sync {
    /// Starts a call: decodes the arguments, and does no more than that before
    /// the first poll.
    ///
    /// # Errors
    ///
    /// Fails if the arguments do not fit, with the fault for the caller.
    fn start(&self, call: &Call<'_>) -> Result<BoxRunning, Fault>;

    /// Starts a call whose arguments are to be checked as well: by a handler once
    /// it has extracted what does not travel, else at once.
    ///
    /// # Errors
    ///
    /// Fails if the arguments do not fit, or not what their schema says of them.
    fn start_checked(&self, call: &Call<'_>, check: &Check) -> Result<BoxRunning, Fault> {
        check.pass(call.args)?;
        self.start(call)
    }

    /// What the type of its arguments asks for when it is decoded, at the end of a
    /// path into it, and whether it may be `null` there.
    fn asked(&self, _path: &[Step<'_>]) -> (Asked, bool) {
        (Asked::Other, false)
    }

    /// Whether all that the procedure takes from its router is there.
    ///
    /// # Errors
    ///
    /// Fails with a sentence that says what is missing.
    fn check(&self, _states: &States) -> Result<(), String> {
        Ok(())
    }

    /// What it takes and gives: anything, unless it knows better.
    fn signature(&self, _schemas: &mut Schemas) -> Signature {
        Signature::default()
    }

    /// Whether it gives a stream: its calls are ready once that is open, and then
    /// [polled for items](Running::poll_next).
    fn streams(&self) -> bool {
        false
    }

    /// Whether it takes a [stream](crate::Incoming) that its caller sends.
    fn takes_stream(&self) -> bool {
        false
    }
}

/// A call under way. Dropping it cancels the call.
pub trait Running: Send {
    /// Drives the call on; writes its result to `reply` when there is one.
    ///
    /// As with futures, not to be polled again after it was ready.
    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>, reply: &mut Reply<'_>)
    -> Poll<Result<(), Fault>>;

    /// Writes the next item of a stream that is open to `item`; `None` once there
    /// are no more. A fault is the last that is heard of it.
    fn poll_next(
        self: Pin<&mut Self>,
        _cx: &mut TaskContext<'_>,
        _item: &mut Reply<'_>,
    ) -> Poll<Option<Result<(), Fault>>> {
        Poll::Ready(None)
    }

    /// What becomes of items that are not taken in time, if that is not what was said
    /// of the procedure.
    fn lag(&self) -> Option<Lag> {
        None
    }
}

/// A call under way, whatever its type.
pub type BoxRunning = Pin<Box<dyn Running>>;

impl fmt::Debug for dyn Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a call under way")
    }
}

impl fmt::Debug for dyn Procedure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a procedure")
    }
}

pin_project_lite::pin_project! {
    /// A call whose result arrives encoded, from a middleware or another node.
    pub(crate) struct Forwarded<F> {
        #[pin]
        pub(crate) future: F,
    }
}

impl<F: Future<Output = Result<OwnedPayload, Fault>> + Send> Running for Forwarded<F> {
    fn poll(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        reply: &mut Reply<'_>,
    ) -> Poll<Result<(), Fault>> {
        self.project().future.poll(cx).map(|outcome| reply.write_encoded(&outcome?.borrow()))
    }
}

/// Drives a call to its end and keeps the result.
///
/// # Errors
///
/// Fails as the call did.
pub async fn finish(mut running: BoxRunning, format: Format, limit: usize) -> Result<OwnedPayload, Fault> {
    let mut buffer = Vec::new();
    std::future::poll_fn(|cx| running.as_mut().poll(cx, &mut Reply::new(&mut buffer, format, limit))).await?;
    encoded(buffer)
}

/// What came of work of a handler, which may have panicked.
pub(crate) fn caught<T>(work: impl FnOnce() -> T, failed: impl FnOnce(Fault) -> T) -> T {
    // what panicked is not touched again, but dropped
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| failed(Fault::panicked(&*panic)))
}

/// A call that panics, if it does, for nobody but whoever made it: also when it is dropped.
pub(crate) struct Contained(Option<BoxRunning>);

impl Contained {
    pub(crate) fn new(running: BoxRunning) -> Self {
        Self(Some(running))
    }

    /// The same call, run in another way.
    pub(crate) fn map(mut self, run: impl FnOnce(BoxRunning) -> BoxRunning) -> Self {
        Self(self.0.take().map(run))
    }

    /// The call, until it has [ended](Self::end).
    pub(crate) fn under_way(&mut self) -> Option<&mut BoxRunning> {
        self.0.as_mut()
    }

    /// Drops the call.
    pub(crate) fn end(&mut self) {
        if let Some(running) = self.0.take() {
            caught(|| drop(running), drop);
        }
    }
}

impl Drop for Contained {
    fn drop(&mut self) {
        self.end();
    }
}

/// A value that has been written.
///
/// # Errors
///
/// Fails if it is not of its format.
pub fn encoded(buffer: Vec<u8>) -> Result<OwnedPayload, Fault> {
    let text = String::from_utf8(buffer).map_err(Fault::internal)?;
    Ok(OwnedPayload::Json(text.into()))
}
