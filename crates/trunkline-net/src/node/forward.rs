//! [`Forward`]: the procedure that asks other nodes.

use super::{
    ask::Ask,
    desk::{Desk, left},
    is_short,
    pending::Id,
};
use crate::{
    clock::{after, now},
    telling::{self, Far, ToBeNamed, is_heard, outgoing, told},
};
use bytes::Bytes;
use futures_util::FutureExt;
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll, ready},
};
use trunkline_core::{
    Attempt, BoxRunning, Call, Fault, FaultKind, Key, Payload, Procedure, Reply, Running, Security,
    router::unknown,
};

/// Asks other nodes for whatever it is called by.
pub(super) struct Forward(pub(super) Arc<Desk>);

impl Procedure for Forward {
    fn start(&self, call: &Call<'_>) -> Result<BoxRunning, Fault> {
        let here = ToBeNamed::current(call.procedure);
        let (desk, mut context) = (&self.0, call.context_and_trace());
        let (name, key) = (call.procedure, Key::of(call.procedure));
        if Attempt::of(&context).is_some() || name.starts_with("rpc.") || !is_short(&key) {
            return Err(call.states.router().map_or_else(|| unknown(name), |router| router.unknown(name)));
        }
        if !key.is_shortest(name) {
            return Err(otherwise_called(name, &key));
        }
        let limits = desk.limits().ok_or_else(left)?;
        if call.args.is_some_and(|args| args.size() > limits.max_message) {
            return Err(too_large(limits.max_message));
        }
        let span = match is_heard() {
            true => {
                let mut trace = context.trace();
                let span = outgoing(None, || Far::at(None, desk.envelope.name()), &mut trace);
                context = context.with_trace(trace);
                span
            }
            false => None,
        };
        let ask = Ask {
            desk: desk.clone(),
            id: Id::new(),
            procedure: name.into(),
            context,
            identified: call.states.security().is_some_and(Security::authenticates),
            until: call.deadline.or_else(|| after(now(), limits.call_timeout)),
        };
        let spelled = ask.spell(&key, call.args, false);
        let Some(span) = span else {
            return Ok(Box::pin(Forwarded { answer: ask.answer(spelled) }));
        };
        let procedure = ask.procedure.clone();
        let asking = span.clone();
        let desk = desk.clone();
        let answer = ask.answer(spelled).inspect(move |outcome| {
            // while the broker is lost, names are not known
            let is_none = outcome.as_ref().is_err_and(|fault| fault.kind() == FaultKind::NotFound);
            if !is_none && desk.is_there() {
                telling::name(&asking, &procedure);
                here.name();
            }
        });
        Ok(Box::pin(Forwarded { answer: told(Some(span), answer) }))
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
        Poll::Ready(reply.write_coded(&Payload::Json(text)))
    }
}

/// By other names than the one that guards and rules know, nothing is called.
#[cold]
fn otherwise_called(name: &str, key: &Key<'_>) -> Fault {
    let shortest = key.name().unwrap_or_default();
    let why =
        format!("the servers of a network know it, if there is one, by its shortest name: `{shortest}`");
    unknown(name).with_data(why)
}

#[cold]
fn too_large(limit: usize) -> Fault {
    Fault::new(FaultKind::RequestTooLarge, "Request is too big").with_data(format!(
        "the arguments are over {limit} bytes, the setting `max_message` of the limits, of what goes to other nodes"
    ))
}
