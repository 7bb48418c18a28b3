//! [`Forward`]: the procedure that asks other nodes.

use super::{
    ask::Ask,
    desk::{Desk, left},
    is_short,
    pending::Id,
    run::Taken,
};
use crate::clock::{after, now};
use bytes::Bytes;
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll, ready},
};
use trunkline_core::{
    BoxRunning, Call, Fault, FaultKind, Key, Payload, Procedure, Reply, Running, envelope::Asked,
    router::unknown,
};

/// Room for a request besides its arguments, so that it is not moved as it grows.
const USUAL_HEAD: usize = 384;

/// Asks other nodes for whatever it is called by.
pub(super) struct Forward(pub(super) Arc<Desk>);

impl Procedure for Forward {
    fn start(&self, call: &Call<'_>) -> Result<BoxRunning, Fault> {
        let (desk, context) = (&self.0, call.context_and_trace());
        let (name, key) = (call.procedure, Key::of(call.procedure));
        let taken = context.extensions().get::<Taken>();
        let came_over_the_broker = taken.is_some_and(|taken| taken.depth == context.depth());
        if came_over_the_broker || name.starts_with("rpc.") || !is_short(&key) {
            return Err(unknown(name));
        }
        let limits = desk.limits().ok_or_else(left)?;
        let size = call.args.map_or(0, |args| args.size());
        if size > limits.max_message {
            return Err(too_large(limits.max_message));
        }
        let until = call.deadline.or_else(|| after(now(), limits.call_timeout));
        let id = Id::new();
        let asked = Asked {
            id: id.as_str(),
            key: &key,
            args: call.args,
            context: &context,
            timeout: until.map_or(limits.call_timeout, |until| until.saturating_duration_since(now())),
            // a client in this process, such as one of a test, speaks a language
            internal: context.depth() > 0
                || (context.connection().transport(), context.connection().dialect())
                    == ("in process", "none"),
            parent: taken.map(|taken| &*taken.id),
        };
        let mut body = Vec::with_capacity(size + USUAL_HEAD);
        desk.envelope.request(&asked, &mut body);
        let ask = Ask { desk: desk.clone(), id, procedure: name.into(), body: body.into(), until };
        Ok(Box::pin(Forwarded { answer: ask.answer() }))
    }
}

pin_project_lite::pin_project! {
    /// A call that runs elsewhere.
    struct Forwarded<F> {
        #[pin]
        answer: F,
    }
}

impl<F: Future<Output = Result<Bytes, Fault>> + Send> Running for Forwarded<F> {
    fn poll(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        reply: &mut Reply<'_>,
    ) -> Poll<Result<(), Fault>> {
        let answer = ready!(self.project().answer.poll(cx))?;
        let text = std::str::from_utf8(&answer).map_err(Fault::internal)?;
        Poll::Ready(reply.write_encoded(&Payload::Json(text)))
    }
}

#[cold]
fn too_large(limit: usize) -> Fault {
    Fault::new(FaultKind::RequestTooLarge, "Request is too big").with_data(format!(
        "the arguments are over {limit} bytes, the setting `max_message` of the limits, of what goes to other nodes"
    ))
}
