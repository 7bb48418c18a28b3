//! [`Within`]: a call from within this program, from its start to its value or its stream.

use super::{Gives, Items, Route};
use crate::{
    call::Call,
    context::Context,
    fault::{Fault, FaultKind},
    feed::Feed,
    handler::Run,
    payload::{Format, OwnedPayload, Payload},
    procedure::{BoxRunning, Contained, caught, encoded},
    reply::Reply,
};
use std::{
    fmt,
    future::poll_fn,
    task::Poll,
    time::{Duration, Instant},
};

/// A call from within this program that has been started. Dropping it cancels the call.
#[must_use = "dropping it cancels the call"]
pub struct Within {
    running: Contained,
    run: Run,
    deadline: Option<Instant>,
}

impl Route {
    /// Starts a call of it, by the name under which it was [found](super::Router::find_within),
    /// for the value or the stream that it `gives`: what all calls from within this
    /// program come to. `deadline` says when it is to
    /// end, given the timeout of its procedure, which is for opening a stream only.
    ///
    /// # Errors
    ///
    /// Fails with the fault a caller would see, also if the procedure panics; with
    /// [`FaultKind::InvalidReply`] if it does not give that; and as `deadline` does.
    pub fn start_within(
        &self,
        name: &str,
        args: Option<Payload<'_>>,
        feed: Option<&Feed>,
        context: &Context,
        gives: Gives,
        deadline: impl FnOnce(Option<Duration>) -> Result<Option<Instant>, Fault>,
    ) -> Result<Within, Fault> {
        if self.gives() != gives {
            return Err(gives_other(name, self.gives()));
        }
        let deadline = deadline(self.timeout())?;
        let mut call = Call::new(name, args, context, self.states());
        call.fallback = self.fallback();
        call.deadline = deadline.filter(|_| gives == Gives::Value);
        call.feed = feed;
        let running = caught(|| self.start(&call), Err)?;
        Ok(Within { running: Contained::new(running), run: self.run(), deadline })
    }
}

impl Within {
    /// When it is to end, or its stream is to be open. Nothing here sees to that.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Has it run where its procedure is registered to, which `place` knows how to.
    pub fn placed(self, place: impl FnOnce(BoxRunning, Run) -> BoxRunning) -> Self {
        Self { running: self.running.map(|running| place(running, self.run)), ..self }
    }

    /// Drives it to its value.
    ///
    /// # Errors
    ///
    /// Fails as the call does, also if it panics.
    pub async fn value(mut self) -> Result<OwnedPayload, Fault> {
        let mut buffer = Vec::new();
        drive(&mut self.running, &mut buffer).await?;
        encoded(buffer)
    }

    /// Drives it until its stream is open.
    ///
    /// # Errors
    ///
    /// Fails as the call does, also if it panics.
    pub async fn items(mut self) -> Result<Items, Fault> {
        drive(&mut self.running, &mut Vec::new()).await?;
        Ok(Items::of(self.running))
    }
}

async fn drive(running: &mut Contained, buffer: &mut Vec<u8>) -> Result<(), Fault> {
    poll_fn(|cx| {
        let Some(running) = running.under_way() else { return Poll::Ready(Ok(())) };
        let reply = &mut Reply::new(buffer, Format::Json, usize::MAX);
        caught(|| running.as_mut().poll(cx, reply), |fault| Poll::Ready(Err(fault)))
    })
    .await
}

#[cold]
fn gives_other(name: &str, gives: Gives) -> Fault {
    let message = match gives {
        Gives::Value => format!("`{name}` gives no stream: call it"),
        Gives::Stream => format!("`{name}` gives a stream: open it with `stream`"),
        _ => format!("`{name}` is for the far end of a connection to call, and for nobody else"),
    };
    Fault::new(FaultKind::InvalidReply, message)
}

impl fmt::Debug for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Within").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}
