//! [`HttpCaller`]: calls over HTTP, one POST a message.
//!
//! Requests share a pool of connections, of HTTP/1.1 or, where TLS has agreed on
//! it, HTTP/2. A request is never sent twice, except when its connection turned
//! out to be closed before any of it was sent.

mod connector;
mod events;
mod failure;

pub(crate) use self::events::EventStream;

use self::{
    connector::Connector,
    failure::{declined, no_answer, not_sent},
};
use super::{Address, DialError, Dialer};
use crate::batch::{Answers, Batch, not_encodable};
use http::{
    HeaderMap, HeaderValue, Request, StatusCode, Uri,
    header::{ACCEPT, CONTENT_TYPE},
    response::Parts,
};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use std::{collections::HashMap, fmt, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use trunkline_core::{
    About, Answer, Dialect, Encode, EncodeError, Fault, Frame, Language, Limits, Outbox, Signal, Speaker,
    Trace,
    framing::Whole,
    trace::{TRACEPARENT, TRACESTATE},
};

/// Calls over HTTP. Cheap to clone.
#[derive(Clone)]
pub struct HttpCaller(Arc<Shared>);

struct Shared {
    client: Client<Connector, Full<Bytes>>,
    uri: Uri,
    headers: HeaderMap,
    language: Arc<dyn Language>,
    limits: Arc<Limits>,
    /// Cancelled when the streams that are open are to end.
    closing: CancellationToken,
}

/// As good as never, and no further ahead than clocks go.
const AGES: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
/// What a call's own number is: an exchange knows no other calls.
const ONLY: u64 = 1;

impl Dialer {
    /// Posts messages to an `http:` or `https:` address. Nothing is connected
    /// before the first call.
    ///
    /// # Errors
    ///
    /// Fails if the address is another one, or a feature that it takes is missing.
    pub fn http(&self, language: Arc<dyn Language>) -> Result<HttpCaller, DialError> {
        self.check()?;
        let Address::Http { uri, .. } = &self.address else {
            return Err(DialError::Address {
                address: self.address.to_string(),
                problem: "messages cannot be posted to it; that takes http:// or https://".into(),
            });
        };
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.extend(self.headers.clone());
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .http2_keep_alive_interval(self.keepalive.map(|interval| interval.min(AGES)))
            .http1_max_buf_size(self.limits.max_head.max(8 << 10))
            .build(Connector::new(self.clone()));
        let limits = self.limits.clone();
        Ok(HttpCaller(Arc::new(Shared {
            client,
            uri: uri.clone(),
            headers,
            language,
            limits,
            closing: CancellationToken::new(),
        })))
    }
}

impl HttpCaller {
    /// Calls a procedure. The message is written before the future is first
    /// polled, and sent when it is; dropping the future takes the request back,
    /// as far as HTTP can. There is no deadline.
    ///
    /// # Errors
    ///
    /// The future fails with the fault the server answered; with what the status
    /// of the response says, if it holds no answer; with
    /// [`FaultKind::Unavailable`](trunkline_core::FaultKind::Unavailable) if the
    /// server cannot be reached; and as [`Peer::call`](crate::Peer::call) does if
    /// the connection breaks.
    ///
    /// Where it stands in a trace, if that is said `about` it, is told in headers.
    pub fn call(
        &self,
        procedure: &str,
        args: &dyn Encode,
        about: &About,
    ) -> impl Future<Output = Answer> + Send + use<> {
        let asking = self.write(about, |speaker, out| speaker.call(ONLY, procedure, args, out));
        async move {
            let mut answers = HashMap::new();
            let complaint = asking?.post().await?.hear(&mut answers);
            answers.remove(&ONLY).unwrap_or(Err(complaint))
        }
    }

    /// Tells the server something that needs no answer, and waits until it has
    /// taken it.
    ///
    /// # Errors
    ///
    /// The future fails as that of a [`call`](Self::call) does.
    pub fn notify(
        &self,
        procedure: &str,
        args: &dyn Encode,
        about: &About,
    ) -> impl Future<Output = Result<(), Fault>> + Send + use<> {
        let asking = self.write(about, |speaker, out| speaker.notify(procedure, args, out));
        async move { asking?.post().await?.taken() }
    }

    /// Sends a batch in one request. Each call succeeds or fails for itself; what is said
    /// `about` it is said of each of its items.
    ///
    /// # Errors
    ///
    /// The future fails as a whole if there was no response.
    pub fn batch(
        &self,
        batch: &Batch,
        about: &About,
    ) -> impl Future<Output = Result<Answers, Fault>> + Send + use<> {
        let ids: Vec<u64> = (1..).take(batch.calls()).collect();
        let items = batch.items(&ids);
        let asking = self.write(about, |speaker, out| speaker.batch(&items, out));
        let empty = batch.is_empty();
        async move {
            if empty {
                return Ok(Answers::default());
            }
            let response = asking?.post().await?;
            if ids.is_empty() {
                return response.taken().map(|()| Answers::default());
            }
            let mut answers = HashMap::new();
            let complaint = response.hear(&mut answers);
            let answer = |id| answers.remove(&id).unwrap_or_else(|| Err(complaint.clone()));
            Ok(Answers::new(ids.into_iter().map(answer).collect()))
        }
    }

    /// Breaks off the streams that are open.
    pub fn end_streams(&self) {
        self.0.closing.cancel();
    }

    /// Writes a message. Where it stands in a trace is for the headers.
    fn write(
        &self,
        about: &About,
        write: impl FnOnce(&mut dyn Speaker, &mut Outbox) -> Result<(), EncodeError>,
    ) -> Result<Asking, Fault> {
        let (dialect, mut speaker) = self.0.language.converse(&self.0.limits);
        let mut out = Outbox::new(Box::new(Whole));
        let (trace, about) = (about.trace.clone(), About::default().with_timeout(about.timeout));
        if !about.is_empty() {
            speaker.about(&about);
        }
        write(&mut *speaker, &mut out).map_err(not_encodable)?;
        let body = out.into_bytes().into();
        Ok(Asking { shared: self.0.clone(), dialect, body, trace, for_events: false })
    }
}

/// A message that is about to be posted.
struct Asking {
    shared: Arc<Shared>,
    dialect: Box<dyn Dialect>,
    body: Bytes,
    trace: Option<Trace>,
    for_events: bool,
}

impl Asking {
    /// The answer is to come as server-sent events.
    fn for_events(self) -> Self {
        Self { for_events: true, ..self }
    }

    /// Sends it, and waits for all of the response.
    async fn post(self) -> Result<Response, Fault> {
        self.send().await?.whole().await
    }

    /// Sends it, and waits for the response to begin.
    async fn send(self) -> Result<Answering, Fault> {
        let Self { shared, dialect, body, trace, for_events } = self;
        let mut request = Request::post(shared.uri.clone()).body(Full::new(body)).map_err(Fault::internal)?;
        *request.headers_mut() = shared.headers.clone();
        if for_events {
            request.headers_mut().insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        }
        if let Some(trace) = trace {
            tell_trace(request.headers_mut(), &trace);
        }
        let response = shared.client.request(request).await.map_err(not_sent)?;
        let (head, body) = response.into_parts();
        Ok(Answering { shared, dialect, head, body })
    }
}

/// A response that has begun.
struct Answering {
    shared: Arc<Shared>,
    dialect: Box<dyn Dialect>,
    head: Parts,
    body: Incoming,
}

impl Answering {
    async fn whole(self) -> Result<Response, Fault> {
        let Self { shared, dialect, head, body } = self;
        let most = shared.limits.max_message;
        let body = Limited::new(body, most).collect().await;
        let body = body.map_err(|error| no_answer(error, most))?.to_bytes();
        let uri = shared.uri.clone();
        Ok(Response { status: head.status, headers: head.headers, body, uri, dialect })
    }
}

/// Says where in a trace a request stands, whatever was said of all of them.
fn tell_trace(headers: &mut HeaderMap, trace: &Trace) {
    if let Ok(parent) = HeaderValue::try_from(trace.to_string()) {
        headers.insert(TRACEPARENT, parent);
    }
    headers.remove(TRACESTATE);
    if !trace.state().is_empty()
        && let Ok(state) = HeaderValue::from_str(trace.state())
    {
        headers.insert(TRACESTATE, state);
    }
}

/// What came back, and who can read it.
struct Response {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    uri: Uri,
    dialect: Box<dyn Dialect>,
}

impl Response {
    /// Collects the answers in the response, whatever its status, and gives the
    /// fault of those calls that have none there.
    fn hear(mut self, answers: &mut HashMap<u64, Answer>) -> Fault {
        self.complaint(answers).unwrap_or_else(|| declined(self.status, &self.headers, &self.uri))
    }

    /// Whether a message that wants no answer was taken.
    fn taken(mut self) -> Result<(), Fault> {
        match self.complaint(&mut HashMap::new()) {
            None if self.status.is_success() => Ok(()),
            None => Err(declined(self.status, &self.headers, &self.uri)),
            Some(complaint) => Err(complaint),
        }
    }

    /// Collects the answers in the response, and gives what it has to say of all
    /// the rest. There, a complaint that names no call can only be about what was
    /// posted.
    fn complaint(&mut self, answers: &mut HashMap<u64, Answer>) -> Option<Fault> {
        let mut complaint = None;
        // what the dialect would answer to this has nowhere to go
        let mut out = Outbox::new(Box::new(Whole));
        let mut frame = Frame::binary(&self.body);
        while let Some(signal) = self.dialect.hear(&mut frame, &mut out) {
            match signal {
                Signal::Reply { id, outcome } => {
                    answers.insert(id, outcome.map(|payload| payload.to_owned()));
                }
                Signal::Refused(fault) | Signal::Complaint(fault) => complaint = Some(fault),
                _ => {}
            }
        }
        complaint
    }
}

impl fmt::Debug for HttpCaller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpCaller").field("uri", &self.0.uri).finish_non_exhaustive()
    }
}
