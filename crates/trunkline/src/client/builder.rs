//! [`Builder`]: a client, and what it is set to.

use super::{
    Carrier, Client, Shared,
    line::{Introduction, Line, Observer},
    reconnect::Reconnect,
    state::ConnectionState,
    supervisor::Supervisor,
};
#[cfg(feature = "http-client")]
use super::{no_way_back, posting::Posting};
use crate::{
    Format, JsonRpc, Limits, Link, OwnedPayload, Router, Service,
    framing::{ContentLength, Framing},
};
use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};
use serde::Serialize;
use std::{fmt, sync::Arc, time::Duration};
use trunkline_core::Language;
#[cfg(feature = "tls")]
use trunkline_net::tls::TlsClient;
use trunkline_net::{
    dial::{Address, DialError, Dialer, MakeStream},
    listen::MakeFraming,
    relay::Called,
    serve::CALL_TIMEOUT,
    telling::Far,
};

/// A client that is being set up.
///
/// ```no_run
/// use std::time::Duration;
/// use trunkline::{Client, Router};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::builder("ws://127.0.0.1:9876")
///     .router(Router::new().procedure("your.name", async || "Ada")) // what the server may call
///     .call_timeout(Duration::from_secs(5))
///     .on_state(|state| println!("{state}"))
///     .connect()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a client is made by `connect`"]
pub struct Builder {
    source: Source,
    streams: Option<MakeStream>,
    language: Option<Arc<dyn Language>>,
    framing: Option<MakeFraming>,
    headers: Vec<(String, String)>,
    credentials: Option<Credentials>,
    limits: Limits,
    router: Router,
    for_peers: Option<Router>,
    names: Vec<String>,
    reconnect: Reconnect,
    call_timeout: Duration,
    tells_timeouts: bool,
    connect_timeout: Duration,
    keepalive: Option<Duration>,
    observers: Vec<Observer>,
    #[cfg(feature = "tls")]
    tls: Option<TlsClient>,
}

/// Where the connection comes from.
enum Source {
    Address(String),
    Link(Box<Link>),
}

impl Builder {
    pub(super) fn to(address: &str) -> Self {
        Self::new(Source::Address(address.to_owned()))
    }

    /// To `address`, over streams from here in place of connections to its host.
    #[cfg(feature = "testing")]
    pub(crate) fn through(address: &str, streams: MakeStream) -> Self {
        Self { streams: Some(streams), ..Self::to(address) }
    }

    pub(super) fn over(link: Link) -> Self {
        Self::new(Source::Link(Box::new(link)))
    }

    fn new(source: Source) -> Self {
        let limits = Limits::default();
        let max_reply = limits.max_reply;
        Self {
            source,
            streams: None,
            language: None,
            framing: None,
            headers: Vec::new(),
            credentials: None,
            limits: limits.max_message(max_reply),
            router: Router::new(),
            for_peers: None,
            names: Vec::new(),
            reconnect: Reconnect::default(),
            call_timeout: CALL_TIMEOUT,
            tells_timeouts: false,
            connect_timeout: Duration::from_secs(10),
            keepalive: Some(Duration::from_secs(30)),
            observers: Vec::new(),
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// The language to speak, within the [limits](Self::limits). Default: [`JsonRpc`].
    pub fn language(mut self, language: impl Language + 'static) -> Self {
        self.language = Some(Arc::new(language));
        self
    }

    /// How streams that have no messages of their own are cut into frames.
    /// Default: one value a line.
    pub fn framing<F: Framing + 'static>(
        mut self,
        framing: impl Fn(&Limits) -> F + Send + Sync + 'static,
    ) -> Self {
        self.framing = Some(Arc::new(move |limits| Box::new(framing(limits))));
        self
    }

    /// Cuts streams as the Language Server Protocol does, by `Content-Length`.
    pub fn content_length(self) -> Self {
        self.framing(|limits| ContentLength::default().limit(limits.max_message))
    }

    /// Sends a header along with HTTP requests, also with each that asks for
    /// a WebSocket, whoever has [authenticated](Client::authenticate) since. Other
    /// transports have no headers.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Shows the server a bearer token: in the header `Authorization` over HTTP and
    /// WebSocket, elsewhere as `{"token":"…"}` to `rpc.authenticate`, before anything
    /// else is said; and again after each reconnect, until
    /// [other credentials](Client::authenticate) take its place.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), trunkline::client::DialError> {
    /// let client = trunkline::Client::builder("tcp://127.0.0.1:9877").bearer("lovelace").connect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn bearer(mut self, token: impl Into<String>) -> Self {
        self.credentials = Some(Credentials::Bearer(token.into()));
        self
    }

    /// Shows the server credentials of any other shape, to `rpc.authenticate` over
    /// any connection that lasts, before anything else is said; and again after
    /// each reconnect. Where each call is a request of its own, over HTTP, credentials are
    /// [headers](Self::header).
    pub fn credentials(mut self, credentials: impl Serialize) -> Self {
        let credentials = OwnedPayload::encode(&credentials, Format::Json);
        self.credentials = Some(Credentials::Message(credentials.map_err(|error| error.to_string())));
        self
    }

    /// Whom to believe that a server is who it says it is, where the address asks
    /// for TLS. Default: the authorities that browsers believe.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: TlsClient) -> Self {
        self.tls = Some(tls);
        self
    }

    /// The limits on what the server sends, and on the calls it makes. The
    /// defaults are those of a server, except that `max_message` is 32 MiB, since
    /// answers may be larger than calls; `idle_timeout` follows from the
    /// [keepalive](Self::keepalive).
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How long calls may take unless they say otherwise. Default 30 s.
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.call_timeout = timeout;
        self
    }

    /// Tells the server with each call, also one of a batch or for a stream, how long this
    /// side waits for its answer, in the member `timeout`, so that it does not work longer
    /// than that: for servers of trunkline, and those that let such a member be. Default:
    /// nothing is said.
    pub fn tell_timeouts(mut self) -> Self {
        self.tells_timeouts = true;
        self
    }

    /// What the server may call. Default: nothing.
    pub fn router(mut self, router: Router) -> Self {
        self.router = router;
        self
    }

    /// What other clients of the server may call, by the [names](Self::name) of this
    /// one. Default: nothing; what the [server](Self::router) may call is not theirs.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use trunkline::{CallingPeer, Client, Router};
    ///
    /// let whisper = async |from: CallingPeer, text: String| format!("{:?} says {text}", from.name);
    /// let alice = Client::builder("ws://127.0.0.1:9876")
    ///     .name("alice")
    ///     .for_peers(Router::new().procedure("whisper", whisper))
    ///     .connect()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn for_peers(mut self, router: Router) -> Self {
        self.for_peers = Some(router);
        self
    }

    /// Takes a name at the server, under which its other clients call this one; several
    /// names, if it is said several times. It is taken again after each reconnect, and
    /// if that fails because somebody has it, which may be the lost connection of this
    /// very client, every few seconds until it is free. A server that does not let this
    /// client have it is not asked twice on one connection; the log says so.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.names.push(name.into());
        self
    }

    /// Whether, and when, a lost connection is made anew. Default: for ever, with
    /// pauses that grow from 100 ms to 10 s. A child process, and a link that was
    /// given ready-made, are not made anew.
    pub fn reconnect(mut self, reconnect: Reconnect) -> Self {
        self.reconnect = reconnect;
        self
    }

    /// How long one attempt to connect may take, with all that belongs to it:
    /// finding the host, TLS, the handshake of a WebSocket. Default 10 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long a server may be silent before it is asked for a sign of life;
    /// `None` for never. Default 30 s.
    ///
    /// Over a WebSocket it is pinged then, and given up if it stays silent for
    /// twice as long again. Over TCP the system's keepalive does the same, at a
    /// pace of its own. Where both ends are on one machine there is no need for it.
    pub fn keepalive(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.keepalive = interval.into();
        self
    }

    /// Called with every state of the connection, in order, as it comes about.
    /// It runs on the task that made the change, so it must be quick.
    pub fn on_state(mut self, observer: impl Fn(&ConnectionState) + Send + Sync + 'static) -> Self {
        self.observers.push(Box::new(observer));
        self
    }

    /// Connects. Dropping the future gives up.
    ///
    /// # Errors
    ///
    /// Fails if the address makes no sense, the first attempt fails, or the server
    /// does not accept the credentials or a name. Over HTTP nothing is connected before the
    /// first call.
    ///
    /// # Panics
    ///
    /// Panics if a handler of the router takes a state that the router does not have.
    pub async fn connect(self) -> Result<Client, DialError> {
        let (client, unconnected) = self.prepare()?;
        if let Some((supervisor, link)) = unconnected {
            let link = match (link, &supervisor.dialer) {
                (None, Some(dialer)) => Some(Box::new(supervisor.dial(dialer).await?)),
                (link, _) => link,
            };
            let mut opened = link.map(|link| supervisor.open(*link));
            if let Some(opened) = &mut opened {
                let introduced = supervisor.introduce(opened).await;
                introduced.map_err(|fault| DialError::Unauthenticated { source: Box::new(fault) })?;
                supervisor.register(opened).await?;
            }
            supervisor.start(opened);
        }
        Ok(client)
    }

    /// Makes the client at once, and connects in the background, again and again
    /// if need be. Calls wait until there is a connection.
    ///
    /// # Errors
    ///
    /// Fails if the address makes no sense, or takes a feature that this program
    /// was built without.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime, and if a handler of the router takes a
    /// state that the router does not have.
    pub fn connect_lazy(self) -> Result<Client, DialError> {
        let (client, unconnected) = self.prepare()?;
        if let Some((supervisor, link)) = unconnected {
            let opened = link.map(|link| supervisor.open(*link));
            supervisor.start(opened);
        }
        Ok(client)
    }

    /// Makes a client that is not connected yet, and whoever is to connect it.
    fn prepare(mut self) -> Result<(Client, Option<Unconnected>), DialError> {
        let mut headers = self.read_headers()?;
        let mut introduction = Introduction::Not;
        let language = self.language.unwrap_or_else(|| Arc::new(JsonRpc::default()));
        let (dialer, link) = match self.source {
            Source::Link(link) => {
                if let Some(credentials) = self.credentials {
                    introduction = credentials.said()?;
                }
                (None, Some(link))
            }
            Source::Address(address) => {
                let address: Address = address.parse()?;
                match self.credentials.take() {
                    None => {}
                    Some(Credentials::Bearer(token)) if address.is_http() => {
                        headers.insert(AUTHORIZATION, authorization(&token)?);
                    }
                    Some(Credentials::Bearer(token)) if matches!(address, Address::WebSocket { .. }) => {
                        introduction = Introduction::Header(authorization(&token)?);
                    }
                    Some(_) if address.is_http() => {
                        let problem = "over HTTP each call is a request of its own, and credentials are headers: \
                                       use `bearer` or `header`";
                        return Err(DialError::Credentials { problem: problem.into() });
                    }
                    Some(credentials) => introduction = credentials.said()?,
                }
                let dialer = Dialer::new(address)
                    .headers(headers)
                    .limits(Arc::new(self.limits.clone()))
                    .connect_timeout(self.connect_timeout)
                    .keepalive(self.keepalive)
                    .dialect(language.name());
                dialer.check()?;
                let dialer = match self.framing {
                    Some(framing) => dialer.framing(framing),
                    None => dialer,
                };
                let dialer = match self.streams {
                    Some(streams) => dialer.through(streams),
                    None => dialer,
                };
                #[cfg(feature = "tls")]
                let dialer = match self.tls {
                    Some(tls) => dialer.tls(tls),
                    None => dialer,
                };
                (Some(dialer), None)
            }
        };
        let far = Far::at(dialer.as_ref().map(Dialer::address), language.name());
        let client = |carrier| {
            let shared = Shared {
                carrier,
                call_timeout: self.call_timeout,
                drain_timeout: self.limits.drain_timeout,
                max_batch: self.limits.max_batch,
                far,
            };
            Client(Arc::new(shared), None)
        };
        #[cfg(feature = "http-client")]
        if let Some(dialer) = dialer.as_ref().filter(|dialer| dialer.address().is_http()) {
            if let Some(name) = self.names.into_iter().next() {
                return Err(DialError::Name { name, source: Box::new(no_way_back()) });
            }
            let posting = Posting::new(dialer.http(language)?, self.tells_timeouts, self.observers);
            return Ok((client(Carrier::Http(Arc::new(posting))), None));
        }
        let line = Line::new(self.observers, introduction);
        for name in &self.names {
            line.want(name);
        }
        line.connecting();
        let (pings, reconnects) = dialer
            .as_ref()
            .map_or((false, false), |dialer| (dialer.has_pings(), dialer.address().can_reconnect()));
        // what has no pings of its own may be silent for as long as it likes
        let idle =
            self.keepalive.filter(|_| pings).map_or(Duration::MAX, |interval| interval.saturating_mul(2));
        let router = match self.for_peers {
            Some(for_peers) => self.router.service(Called::new(for_peers, &self.limits)),
            None => self.router,
        };
        let supervisor = Supervisor {
            line: line.clone(),
            dialer,
            service: Service::new(router, language)
                .limits(self.limits.clone().idle_timeout(idle))
                .tell_timeouts(self.tells_timeouts),
            call_timeout: self.call_timeout,
            login_timeout: self.connect_timeout,
            reconnect: if reconnects { self.reconnect } else { Reconnect::never() },
        };
        Ok((client(Carrier::Connection(line)), Some((supervisor, link))))
    }

    fn read_headers(&self) -> Result<HeaderMap, DialError> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let refused = |problem: String| DialError::Header { name: name.clone(), problem };
            let name: HeaderName = name.parse().map_err(|error| refused(format!("{error}")))?;
            let value: HeaderValue = value.parse().map_err(|error| refused(format!("{error}")))?;
            headers.append(name, value);
        }
        Ok(headers)
    }
}

/// What the server is shown.
enum Credentials {
    Bearer(String),
    /// Or why it cannot be written.
    Message(Result<OwnedPayload, String>),
}

impl Credentials {
    /// To be said on a live connection, before anything else is.
    fn said(self) -> Result<Introduction, DialError> {
        let said = match self {
            Self::Bearer(token) => {
                let said = serde_json::json!({ "token": token });
                OwnedPayload::encode(&said, Format::Json).map_err(|error| error.to_string())
            }
            Self::Message(said) => said,
        };
        said.map(|credentials| Introduction::Login { credentials, must: true })
            .map_err(|problem| DialError::Credentials { problem })
    }
}

/// A bearer token as a header.
fn authorization(token: &str) -> Result<HeaderValue, DialError> {
    let value = HeaderValue::try_from(format!("Bearer {token}"));
    let mut value = value.map_err(|_| DialError::Credentials {
        problem: "the bearer token has characters that no header can have".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// What is needed to connect a client: whoever does it, and a link if there is one already.
type Unconnected = (Supervisor, Option<Box<Link>>);

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("limits", &self.limits).finish_non_exhaustive()
    }
}
