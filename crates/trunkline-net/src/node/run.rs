//! [`Run`]: one call that another node has asked for, from being taken to being answered.

use super::{
    asker::Asker,
    desk::Desk,
    serving::{Listed, Serving},
    workers::Exchanges,
};
use crate::{
    access,
    broker::{Ticket, Unsent},
    clock::{after, now},
    service::Service,
};
use bytes::Bytes;
use std::{convert::Infallible, future::pending, sync::Arc, time::Duration};
use tokio::time::sleep;
use tokio_util::task::task_tracker::TaskTrackerToken;
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
    pub(super) serving: Arc<Serving>,
    pub(super) opened: Opened,
    pub(super) body: Bytes,
    pub(super) asker: Arc<Asker>,
    /// Whether it may have run before.
    pub(super) repeated: bool,
    /// Why it is not run.
    pub(super) fault: Option<Fault>,
    /// What is said of the answer.
    pub(super) remark: Option<Remark>,
    pub(super) place: Place,
}

/// What a request takes of its node until all has been done that will be, let go of in this
/// order: first there is room for another, and then it may come; and then the node may leave.
pub(super) struct Place {
    pub(super) _listed: Option<Listed>,
    /// `None` if it was settled early.
    pub(super) settled: Option<Settled>,
    pub(super) _taken: TaskTrackerToken,
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
    /// Runs it and answers it, unless whoever asked gives it up.
    pub(super) async fn finish(self: Box<Self>, exchanges: &mut Exchanges) -> Place {
        let Self { serving, mut opened, body, asker, repeated, fault, remark, mut place } = *self;
        let service = serving.service(opened.internal);
        let attempt = Attempt::new(opened.id.clone(), repeated, &opened.context);
        let mut context = opened.context.with_attempt(attempt);
        let fault = match (fault, opened.authorization.take()) {
            (None, Some(authorization)) => tokio::select! {
                biased;
                () = asker.gone() => return place,
                context = identify(&mut context, &authorization, service) => context.err(),
            },
            (fault, _) => fault,
        };
        let mut exchange = exchanges.take(opened.internal, service);
        let nobody = exchange.turn_to((opened.dialect, context));
        let answer = match fault {
            Some(fault) => exchange.refuse(&opened.procedure, &fault),
            None if asker.has_gone() => return place,
            None => tokio::select! {
                biased;
                answer = exchange.answer(&body) => answer,
                () = asker.gone() => return place,
                never = let_go_in_time(&mut place.settled) => match never {},
            },
        };
        let remark = remark.filter(|_| opened.understands);
        let whole = |mut answer: Vec<u8>| -> Bytes {
            if let Some(remark) = remark {
                serving.desk.envelope.remark(&mut answer, remark);
            }
            answer.into()
        };
        if let Some(answer) = answer.map(whole) {
            let shorter = |fault: &Fault| exchange.refuse(&opened.procedure, fault).map(whole);
            send(&serving.desk, &asker, &opened.id, answer, shorter, service.limits.call_timeout).await;
        }
        // what the last caller has sent is not to stay in memory
        exchange.turn_to(nobody);
        exchanges.leave(opened.internal, exchange);
        place
    }
}

/// Sends an answer; where it is too large for the broker, a fault that is no longer than it.
async fn send(
    desk: &Desk,
    asker: &Asker,
    id: &str,
    mut answer: Bytes,
    mut refuse: impl FnMut(&Fault) -> Option<Bytes>,
    time: Duration,
) {
    // one that the broker lost is of use to a caller who has another
    let mut until = None;
    while let Some(line) = desk.line() {
        match line.answer(&asker.address(), id, answer.clone()) {
            Ok(()) | Err(Unsent::Full) => return,
            Err(Unsent::Lost) => {
                let until = *until.get_or_insert_with(|| after(now(), time));
                if !matches!(desk.reached(until).await, Ok(true)) {
                    return;
                }
            }
            Err(Unsent::TooLarge(limit)) => match refuse(&too_large(limit)) {
                Some(refusal) if refusal.len() < answer.len() => answer = refusal,
                _ => return,
            },
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
