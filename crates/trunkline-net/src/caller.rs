//! [`Caller`]: calls other procedures of the same router from within a handler.

use crate::{
    access,
    batch::not_encodable,
    clock::{after, earliest, now},
    decoded::{Decoded, decode_reply},
    peer::placed_within,
    telling::{AnsweredHere, Name, failed, told},
};
use futures_util::Stream;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fmt,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};
use tokio::time::timeout_at;
use tracing::Span;
use trunkline_core::{
    Call, Context, Extract, Fault, FaultKind, Feed, Format, IntoReply, OwnedPayload, Payload, Router,
    router::{Gives, Within, unknown},
};

/// Calls other procedures of the same router from within a handler, those that are
/// internal too. Cheap to clone.
///
/// ```
/// # use trunkline_core::{Fault, Router, handler::handler};
/// # use trunkline_net::Caller;
/// async fn invoice(caller: Caller, customer: String) -> Result<String, Fault> {
///     let owed: u64 = caller.call("debts.of", (&customer,)).await?;
///     Ok(format!("{customer} owes {owed}"))
/// }
///
/// let router = Router::new()
///     .procedure("invoice", invoice)
///     .procedure("debts.of", handler(async |customer: String| customer.len() as u64).internal());
/// ```
///
/// What it calls is called by the program's own code on behalf of who called the
/// handler:
///
/// - the [`Context`] is the handler's, with its identity, session and peer, one call
///   [deeper](Context::depth); more than [`max_chain`](trunkline_core::Limits::max_chain)
///   calls inside of each other are a fault;
/// - guards and middleware are around it, as around any call, and it runs where its
///   procedure is registered to; [`Security`](trunkline_core::Security) is not asked;
/// - it has until the deadline of the handler's own call, or of its procedure's
///   timeout if that is earlier. Dropping the future cancels it.
#[derive(Clone)]
pub struct Caller {
    /// A handler may put this where its router keeps it, which must not keep the router.
    router: Weak<Router>,
    context: Context,
    /// The handler's, by the name that it was called by.
    procedure: Arc<str>,
    deadline: Option<Instant>,
}

impl Caller {
    /// The same, for calls that may take no longer than this from now, if it is said.
    #[must_use]
    pub fn within(mut self, time: impl Into<Option<Duration>>) -> Self {
        let until = time.into().and_then(|time| after(now(), time));
        self.deadline = earliest([self.deadline, until]);
        self
    }

    /// What is known of who called the handler.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// How long what is called may take, as of now; `None` if there is no end to it.
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(now()))
    }

    /// Calls a procedure.
    ///
    /// # Errors
    ///
    /// Fails with the fault of the procedure; with [`FaultKind::NotFound`] if there
    /// is none of that name; with [`FaultKind::DeadlineExceeded`] if the time is up;
    /// with [`FaultKind::InvalidReply`] if the answer does not fit `T`; and with
    /// [`FaultKind::Unavailable`] if there are too many calls inside of each other.
    pub async fn call<T: DeserializeOwned>(
        &self,
        procedure: &str,
        args: impl Serialize + Send,
    ) -> Result<T, Fault> {
        self.call_with(procedure, args, None).await
    }

    /// Calls a procedure with a stream, which it [takes](trunkline_core::Incoming): it is
    /// asked for an item when the handler wants one.
    ///
    /// # Errors
    ///
    /// Fails as [`call`](Self::call) does.
    pub async fn call_sending<T: DeserializeOwned>(
        &self,
        procedure: &str,
        args: impl Serialize + Send,
        items: impl Stream<Item: IntoReply> + Send + 'static,
    ) -> Result<T, Fault> {
        self.call_with(procedure, args, Some(Feed::of(items))).await
    }

    async fn call_with<T: DeserializeOwned>(
        &self,
        procedure: &str,
        args: impl Serialize + Send,
        feed: Option<Feed>,
    ) -> Result<T, Fault> {
        let args = encode(&args)?;
        let (started, span) = self.start(procedure, args.as_ref(), feed.as_ref(), Gives::Value)?;
        decode_reply(&told(span, in_time(started.deadline(), started.value())).await?)
    }

    /// Calls a procedure that gives a stream; the time that there is for a call is
    /// for opening it. Dropping the stream ends it.
    ///
    /// # Errors
    ///
    /// Fails as [`call`](Self::call) does, and with [`FaultKind::InvalidReply`] if the
    /// procedure gives no stream.
    pub async fn stream<T: DeserializeOwned>(
        &self,
        procedure: &str,
        args: impl Serialize + Send,
    ) -> Result<Decoded<T>, Fault> {
        self.stream_with(procedure, args, None).await
    }

    /// Calls a procedure that gives a stream with another one, which it takes.
    ///
    /// # Errors
    ///
    /// Fails as [`stream`](Self::stream) does.
    pub async fn stream_sending<T: DeserializeOwned>(
        &self,
        procedure: &str,
        args: impl Serialize + Send,
        items: impl Stream<Item: IntoReply> + Send + 'static,
    ) -> Result<Decoded<T>, Fault> {
        self.stream_with(procedure, args, Some(Feed::of(items))).await
    }

    /// Opens a stream for those on whose behalf it calls, as if they had asked for it over
    /// their connection: what is internal is not there,
    /// [`Security`](trunkline_core::Security) is asked, and what they are told of a fault
    /// is up to it too.
    ///
    /// # Errors
    ///
    /// Fails as [`stream`](Self::stream) does, and if they may not call the procedure.
    #[doc(hidden)]
    pub async fn stream_as_asked<T: DeserializeOwned>(
        &self,
        procedure: &str,
        args: impl Serialize + Send,
    ) -> Result<Decoded<T>, Fault> {
        let router = self.router.upgrade().ok_or_else(gone)?;
        let route = router.find(procedure).ok_or_else(|| unknown(procedure))?;
        let Some(security) = route.states().security() else { return self.stream(procedure, args).await };
        let call = Call::new(procedure, None, &self.context, route.states());
        let opened = match access::admit(security, &call, route.details(), now()) {
            Ok(()) => self.stream(procedure, args).await,
            Err(refused) => Err(refused),
        };
        opened.map_err(|fault| access::told(Some(security), &self.context, &fault).into_owned())
    }

    async fn stream_with<T: DeserializeOwned>(
        &self,
        procedure: &str,
        args: impl Serialize + Send,
        feed: Option<Feed>,
    ) -> Result<Decoded<T>, Fault> {
        let args = encode(&args)?;
        let (started, span) = self.start(procedure, args.as_ref(), feed.as_ref(), Gives::Stream)?;
        Ok(Decoded::new(told(span, in_time(started.deadline(), started.items())).await?))
    }

    /// Starts a call, and gives the span that it is in.
    fn start(
        &self,
        procedure: &str,
        args: Option<&OwnedPayload>,
        feed: Option<&Feed>,
        gives: Gives,
    ) -> Result<(Within, Option<Span>), Fault> {
        let router = self.router.upgrade().ok_or_else(gone)?;
        let context = self.context.inner()?.called_by(self.procedure.clone());
        let route = router.find_within(procedure)?;
        let deadline = |own: Option<Duration>| {
            let now = now();
            let deadline = earliest([self.deadline, own.and_then(|own| after(now, own))]);
            if deadline.is_some_and(|at| at <= now) { Err(too_late()) } else { Ok(deadline) }
        };
        let args = args.map(OwnedPayload::borrow);
        let name = Name::of(route);
        let answered = AnsweredHere { procedure, name, id: None, args: args.as_ref(), context: &context };
        let span = answered.span();
        let started = {
            let _entered = span.as_ref().map(Span::enter);
            // what runs elsewhere takes the span along from here
            let started = route.start_within(procedure, args, feed, &context, gives, deadline);
            started.map(|call| call.placed(placed_within))
        };
        if let (Err(fault), Some(span)) = (&started, &span) {
            failed(span, fault, fault.code());
        }
        Ok((started?, span))
    }
}

/// What comes of a call, if it comes in time.
async fn in_time<T>(
    deadline: Option<Instant>,
    call: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    match deadline {
        Some(at) => timeout_at(at.into(), call).await.unwrap_or_else(|_| Err(too_late())),
        None => call.await,
    }
}

/// Arguments as a dialect would hear them: `()` stands for none.
///
/// # Errors
///
/// Fails with [`FaultKind::InvalidArgs`] if they have no form in JSON.
pub fn encode(args: &impl Serialize) -> Result<Option<OwnedPayload>, Fault> {
    let args = OwnedPayload::encode(args, Format::Json).map_err(not_encodable)?;
    Ok(Some(args).filter(|args| args.borrow() != Payload::Json("null")))
}

#[cold]
fn gone() -> Fault {
    Fault::new(FaultKind::Unavailable, "the router of this procedure is no longer there")
}

#[cold]
fn too_late() -> Fault {
    Fault::new(FaultKind::DeadlineExceeded, "Deadline exceeded").with_data(
        "a call inside of another ran for longer than is left of that one's time, or than its procedure's timeout",
    )
}

impl Extract for Caller {
    fn extract(call: &Call<'_>) -> Result<Self, Fault> {
        let Some(router) = call.states.router() else {
            return Err(Fault::internal(
                "it takes a Caller, but its router is not shared: call it by way of a server, \
                 an InProcess, or Router::shared",
            ));
        };
        Ok(Self {
            router: Arc::downgrade(&router),
            context: call.context_and_trace(),
            procedure: call.procedure.into(),
            deadline: call.deadline,
        })
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").field("context", &self.context).field("deadline", &self.deadline).finish()
    }
}
