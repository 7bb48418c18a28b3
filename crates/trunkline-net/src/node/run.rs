//! [`Run`]: one call that another node has asked for, from being taken to being answered.

use super::desk::Desk;
use crate::{
    broker::{Ticket, Unsent},
    clock::{after, now},
    exchange::Exchange,
    service::Service,
};
use bytes::Bytes;
use std::{future::pending, sync::Arc};
use tokio::sync::oneshot;
use trunkline_core::{Fault, FaultKind, envelope::Opened};

/// A call that came over the broker, in the context of all that is called for it.
#[derive(Clone, Eq, PartialEq)]
pub(super) struct Taken {
    /// How many calls there are around it: those that it makes have more.
    pub(super) depth: usize,
}

/// One call that another node has asked for.
pub(super) struct Run {
    pub(super) service: Service,
    pub(super) opened: Opened,
    pub(super) body: Bytes,
    pub(super) reply_to: Box<str>,
    /// Why it is not run.
    pub(super) fault: Option<Fault>,
    pub(super) settled: Settled,
}

/// When this is dropped, the broker hears that all has been done that will be.
pub(super) struct Settled {
    pub(super) desk: Arc<Desk>,
    pub(super) ticket: Ticket,
}

impl Drop for Settled {
    fn drop(&mut self) {
        if let Some(line) = self.desk.line() {
            line.settle(self.ticket);
        }
    }
}

impl Run {
    /// Runs it and answers it, unless whoever asked gives it up, by dropping the other
    /// end of `given_up`.
    pub(super) async fn finish(self, given_up: Option<oneshot::Receiver<()>>) {
        let Self { service, opened, body, reply_to, fault, settled } = self;
        let Opened { id, procedure, context, dialect, .. } = opened;
        let taken = Taken { depth: context.depth() };
        let mut exchange = Exchange::in_dialect(dialect, &service, context.with_extension(taken));
        let given_up = async move {
            match given_up {
                Some(given_up) => drop(given_up.await),
                None => pending().await,
            }
        };
        let answer = match fault {
            Some(fault) => exchange.refuse(&procedure, &fault),
            None => tokio::select! {
                biased;
                () = given_up => None,
                answer = exchange.answer(&body) => answer,
            },
        };
        let Some(mut answer) = answer.map(Bytes::from) else { return };
        // one that the broker lost is of use to a caller who has another
        let until = after(now(), service.limits.call_timeout);
        loop {
            let Some(line) = settled.desk.line() else { return };
            match line.answer(&reply_to, &id, answer.clone()) {
                Ok(()) | Err(Unsent::Full) => return,
                Err(Unsent::Lost) => {
                    if settled.desk.reached(until).await.is_err() {
                        return;
                    }
                }
                Err(Unsent::TooLarge(limit)) => match exchange.refuse(&procedure, &too_large(limit)) {
                    Some(refusal) if refusal.len() < answer.len() => answer = refusal.into(),
                    _ => return,
                },
            }
        }
    }
}

#[cold]
fn too_large(limit: usize) -> Fault {
    Fault::new(FaultKind::ReplyTooLarge, "Response is too big")
        .with_data(format!("the reply is over the {limit} bytes that the broker carries"))
}
