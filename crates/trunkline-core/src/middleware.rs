//! [`Middleware`]: something around a call, and guards, the checks before it.

use crate::{
    call::{Call, OwnedCall},
    context::States,
    fault::Fault,
    payload::OwnedPayload,
    procedure::{self, BoxRunning, Forwarded, Procedure},
    schema::Schemas,
    signature::Signature,
};
use std::{pin::Pin, sync::Arc};

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
pub struct Next(Arc<dyn Procedure>);

impl Next {
    /// Runs the rest. Dropping the future cancels the call.
    ///
    /// # Errors
    ///
    /// Fails as the call did. A result over [`OwnedCall::max_reply`] bytes is
    /// given up when it gets there, as it would be without a middleware.
    pub async fn run(self, call: OwnedCall) -> Answer {
        let running = self.0.start(&call.borrow())?;
        procedure::finish(running, call.format, call.max_reply).await
    }
}

/// A procedure with a middleware around it.
pub(crate) struct Layered {
    pub(crate) middleware: Arc<dyn Middleware>,
    pub(crate) inner: Arc<dyn Procedure>,
}

impl Procedure for Layered {
    fn start(&self, call: &Call<'_>) -> Result<BoxRunning, Fault> {
        let future = self.middleware.handle(call.to_owned(), Next(self.inner.clone()));
        Ok(Box::pin(Forwarded { future }))
    }

    fn check(&self, states: &States) -> Result<(), String> {
        self.inner.check(states)
    }

    fn signature(&self, schemas: &mut Schemas) -> Signature {
        self.inner.signature(schemas)
    }
}

/// A check before a call: cheap, and done before the arguments are decoded.
pub(crate) type Guard = Arc<dyn Fn(&Call<'_>) -> Result<(), Fault> + Send + Sync>;
