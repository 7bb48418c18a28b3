//! [`Run`]: one call that another node has asked for, from being taken to being answered.

use super::desk::Desk;
use crate::{
    access,
    broker::{Ticket, Unsent},
    clock::{after, now},
    exchange::Exchange,
    service::Service,
};
use bytes::Bytes;
use std::{
    convert::Infallible,
    future::pending,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::oneshot, time::sleep};
use trunkline_core::{
    Attempt, Context, Credentials, Fault, FaultKind, Format, OwnedPayload,
    envelope::{Opened, Remark},
};

/// How long a request is held while its call runs. Brokers take nodes that hold one for
/// long for broken, RabbitMQ after 30 minutes. A call that takes longer is settled before
/// it is answered: if its node is lost then, nobody is told, and it ends by its deadline.
const LONGEST_HELD: Duration = Duration::from_secs(10 * 60);

/// One call that another node has asked for.
pub(super) struct Run {
    pub(super) service: Service,
    pub(super) opened: Opened,
    pub(super) body: Bytes,
    pub(super) asked_from: AskedFrom,
    /// Whether it may have run before.
    pub(super) repeated: bool,
    /// Why it is not run.
    pub(super) fault: Option<Fault>,
    /// What is said of the answer.
    pub(super) remark: Option<Remark>,
    pub(super) settled: Settled,
}

/// Where whoever asked waits for the answer. Clones are the same.
#[derive(Clone)]
pub(super) struct AskedFrom(Arc<Mutex<Arc<str>>>);

impl AskedFrom {
    pub(super) fn new(reply_to: &str) -> Self {
        Self(Arc::new(Mutex::new(reply_to.into())))
    }

    /// The answer is to go where `other` waits.
    pub(super) fn follow(&self, other: &Self) {
        let address = other.address();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = address;
    }

    fn address(&self) -> Arc<str> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
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
    /// end of `given_up`. What it gives is to be dropped once there is room for another.
    pub(super) async fn finish(self, given_up: Option<oneshot::Receiver<()>>) -> Option<Settled> {
        let Self { service, mut opened, body, asked_from, repeated, fault, remark, settled } = self;
        let desk = settled.desk.clone();
        let mut held = Some(settled);
        let mut given_up = pin!(async move {
            match given_up {
                Some(given_up) => drop(given_up.await),
                None => pending().await,
            }
        });
        let attempt = Attempt::new(&*opened.id, repeated, &opened.context);
        let mut context = opened.context.with_extension(attempt);
        let fault = match (fault, opened.authorization.take()) {
            (None, Some(authorization)) => tokio::select! {
                biased;
                () = &mut given_up => return held,
                context = identify(&mut context, &authorization, &service) => context.err(),
            },
            (fault, _) => fault,
        };
        let mut exchange = Exchange::in_dialect(opened.dialect, &service, context);
        let answer = match fault {
            Some(fault) => exchange.refuse(&opened.procedure, &fault),
            None => tokio::select! {
                biased;
                () = &mut given_up => None,
                answer = exchange.answer(&body) => answer,
                never = let_go_in_time(&mut held) => match never {},
            },
        };
        let remark = remark.filter(|_| opened.understands);
        let whole = |mut answer: Vec<u8>| -> Bytes {
            if let Some(remark) = remark {
                desk.envelope.remark(&mut answer, remark);
            }
            answer.into()
        };
        let Some(mut answer) = answer.map(whole) else { return held };
        // one that the broker lost is of use to a caller who has another
        let until = after(now(), service.limits.call_timeout);
        loop {
            let Some(line) = desk.line() else { return held };
            match line.answer(&asked_from.address(), &opened.id, answer.clone()) {
                Ok(()) | Err(Unsent::Full) => return held,
                Err(Unsent::Lost) => {
                    if !matches!(desk.reached(until).await, Ok(true)) {
                        return held;
                    }
                }
                Err(Unsent::TooLarge(limit)) => {
                    match exchange.refuse(&opened.procedure, &too_large(limit)).map(whole) {
                        Some(refusal) if refusal.len() < answer.len() => answer = refusal,
                        _ => return held,
                    }
                }
            }
        }
    }
}

/// Finds out who calls, where the gateway has not, but hands on what it was shown: if this
/// service has somebody to ask.
async fn identify(context: &mut Context, authorization: &str, service: &Service) -> Result<(), Fault> {
    let Some(security) = &service.security else { return Ok(()) };
    let token = OwnedPayload::encode(&[authorization], Format::Json).map_err(Fault::internal)?;
    let (credentials, time) = (Credentials::Message(&token), service.limits.call_timeout);
    let identity = access::authenticate(&**security, credentials, context.connection(), time).await?;
    *context = context.clone().with_identity(identity);
    Ok(())
}

/// Settles what is held for too long.
async fn let_go_in_time(held: &mut Option<Settled>) -> Infallible {
    sleep(LONGEST_HELD).await;
    held.take();
    pending().await
}

#[cold]
fn too_large(limit: usize) -> Fault {
    Fault::new(FaultKind::ReplyTooLarge, "Response is too big")
        .with_data(format!("the reply is over the {limit} bytes that the broker carries"))
}
