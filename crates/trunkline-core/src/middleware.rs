//! [`Middleware`]: something around a call, and guards, the checks before it.

use crate::{
    call::{Call, OwnedCall},
    fault::Fault,
    lag::Lag,
    payload::OwnedPayload,
    procedure::{self, BoxRunning, Forwarded, Procedure, Running},
    reply::Reply,
    schema::Schemas,
    signature::Signature,
    states::States,
};
use std::{
    future::poll_fn,
    mem,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context as TaskContext, Poll, ready},
};

/// What came of a call.
pub type Answer = Result<OwnedPayload, Fault>;

/// The future of an answer.
pub type AnswerFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// Something around a call: sees its arguments, still encoded, and its answer.
///
/// Implemented for async functions of [`OwnedCall`] and [`Next`]. Each item of a
/// batch is a call of its own. A procedure without middleware pays nothing for
/// there being such a thing.
///
/// ```
/// # use trunkline_core::{Router, OwnedCall, middleware::{Answer, Next}};
/// async fn audit(call: OwnedCall, next: Next) -> Answer {
///     let name = call.procedure.clone();
///     let answer = next.run(call).await;
///     println!("{name}: {}", if answer.is_ok() { "ok" } else { "failed" });
///     answer
/// }
///
/// let router = Router::new().procedure("ping", async || "pong").layer(audit);
/// ```
pub trait Middleware: Send + Sync + 'static {
    /// Answers the call, most often by way of `next`.
    fn handle(&self, call: OwnedCall, next: Next) -> AnswerFuture;
}

impl<F, Fut> Middleware for F
where
    F: Fn(OwnedCall, Next) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Answer> + Send + 'static,
{
    fn handle(&self, call: OwnedCall, next: Next) -> AnswerFuture {
        Box::pin(self(call, next))
    }
}

/// What comes after a middleware: the next one, or the procedure.
#[derive(Clone, Debug)]
pub struct Next {
    procedure: Arc<dyn Procedure>,
    /// Where a stream is put once it is open.
    opened: Option<Opened>,
}

/// A stream that the innermost of what is around a procedure has opened.
type Opened = Arc<Mutex<Option<BoxRunning>>>;

impl Next {
    /// Runs the rest. Dropping the future cancels the call. Where the procedure
    /// gives a stream, its answer is null once that is open; the items go to the
    /// caller without coming by here.
    ///
    /// # Errors
    ///
    /// Fails as the call did. A result over [`OwnedCall::max_reply`] bytes is
    /// given up when it gets there, as it would be without a middleware.
    pub async fn run(self, call: OwnedCall) -> Answer {
        let mut running = self.procedure.start(&call.borrow())?;
        let Some(opened) = self.opened else {
            return procedure::finish(running, call.format, call.max_reply).await;
        };
        poll_fn(|cx| running.as_mut().poll(cx, &mut Reply::new(&mut Vec::new(), call.format, 0))).await?;
        let before = opened.lock().unwrap_or_else(PoisonError::into_inner).replace(running);
        // not under the lock: it is user code
        drop(before);
        OwnedPayload::encode(&(), call.format).map_err(Fault::internal)
    }
}

/// A procedure with a middleware around it.
pub(crate) struct Layered {
    pub(crate) middleware: Arc<dyn Middleware>,
    pub(crate) inner: Arc<dyn Procedure>,
}

impl Procedure for Layered {
    fn start(&self, call: &Call<'_>) -> Result<BoxRunning, Fault> {
        let opened = self.inner.streams().then(Opened::default);
        let next = Next { procedure: self.inner.clone(), opened: opened.clone() };
        let future = self.middleware.handle(call.to_owned(), next);
        Ok(match opened {
            None => Box::pin(Forwarded { future }),
            Some(opened) => Box::pin(LayeredStream::Opening { future, opened }),
        })
    }

    fn check(&self, states: &States) -> Result<(), String> {
        self.inner.check(states)
    }

    fn signature(&self, schemas: &mut Schemas) -> Signature {
        self.inner.signature(schemas)
    }

    fn streams(&self) -> bool {
        self.inner.streams()
    }

    fn takes_stream(&self) -> bool {
        self.inner.takes_stream()
    }
}

/// A stream with a middleware around its opening.
enum LayeredStream {
    Opening {
        future: AnswerFuture,
        opened: Opened,
    },
    Open(BoxRunning),
    /// The middleware has answered for itself: that is the one item.
    Answered(OwnedPayload),
    Ended,
}

impl Running for LayeredStream {
    fn lag(&self) -> Option<Lag> {
        match self {
            Self::Open(running) => running.lag(),
            _ => None,
        }
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        _reply: &mut Reply<'_>,
    ) -> Poll<Result<(), Fault>> {
        if let Self::Opening { future, opened } = &mut *self {
            let answer = ready!(future.as_mut().poll(cx))?;
            let opened = opened.lock().unwrap_or_else(PoisonError::into_inner).take();
            *self = opened.map_or(Self::Answered(answer), Self::Open);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        item: &mut Reply<'_>,
    ) -> Poll<Option<Result<(), Fault>>> {
        match &mut *self {
            Self::Open(running) => running.as_mut().poll_next(cx, item),
            Self::Answered(_) => match mem::replace(&mut *self, Self::Ended) {
                Self::Answered(answer) => Poll::Ready(Some(item.write_encoded(&answer.borrow()))),
                _ => Poll::Ready(None),
            },
            Self::Opening { .. } | Self::Ended => Poll::Ready(None),
        }
    }
}

/// A check before a call: cheap, and done before the arguments are decoded.
pub(crate) type Guard = Arc<dyn Fn(&Call<'_>) -> Result<(), Fault> + Send + Sync>;
