//! [`Nats`]: the broker of nodes that share a NATS server.
//!
//! What is said on one connection is of that connection alone: when it is lost, all that
//! waited to be sent is dropped, and the next connection begins with nothing but what is
//! served and subscribed to. So each is a client of its own, which is not left to make its
//! connection anew: it would send what it had kept, and run calls whose callers have been
//! told that they were lost.

mod connection;
mod gathered;
mod line;
mod outgoing;
mod subject;
mod supervisor;

use self::line::Wire;
use super::{Broker, Inbox, Line, Member};
use crate::tls::TlsClient;
use async_nats::ServerAddr;
use std::{fmt, sync::Arc, time::Duration};

/// The broker of nodes that share a NATS server, or several that are one.
///
/// Needs nothing of it but that it may publish and subscribe to `trunkline.>`: neither
/// JetStream, nor anything that is set up. Other than [`Broker`] says, NATS keeps nothing:
/// - A request goes at once to one of those that serve it, by chance, whether or not it has
///   its fill: more may be delivered to a node than its
///   [`prefetch`](super::Member::prefetch).
/// - What a node held that goes is delivered to nobody else.
/// - What is said in one moment may come in another order, unless it is requests for one
///   procedure, or answers to one node.
/// - What is said in the moment in which the connection is lost may be lost though it counts as
///   sent.
///
/// ```
/// use trunkline_net::broker::Nats;
///
/// let broker = Nats::new("nats://user:password@127.0.0.1:4222")?;
/// assert!(!format!("{broker:?}").contains("password"));
/// # Ok::<(), trunkline_net::broker::NatsError>(())
/// ```
#[derive(Clone)]
pub struct Nats {
    servers: Arc<[ServerAddr]>,
    login: Login,
    tls: TlsClient,
    heartbeat: Duration,
}

/// What a server is shown.
#[derive(Clone, Eq, PartialEq)]
enum Login {
    Nothing,
    Token(String),
    User(String, String),
}

/// An address of NATS that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NatsError {
    /// It is none. The text that was given is not repeated, as it may hold a password.
    #[error("{0}; an address of NATS is nats://[USER:PASSWORD@]HOST[:4222], or with tls:// for nats://")]
    Address(String),
    /// Two addresses say differently who asks.
    #[error("the addresses of NATS have different users, passwords or tokens: one is for all of them")]
    Logins,
}

impl Nats {
    /// The broker at `nats://[USER:PASSWORD@]HOST[:PORT]`, or with a token in the place of
    /// user and password; `tls://` demands TLS. Several addresses, with commas between
    /// them, are servers of one cluster. Connects only when a node attaches.
    ///
    /// # Errors
    ///
    /// Fails if that is no such address, or if two of them say differently who asks.
    pub fn new(addresses: &str) -> Result<Self, NatsError> {
        let mut login = Login::Nothing;
        let mut servers = Vec::new();
        for address in addresses.split(',') {
            let (server, its) = parse(address.trim())?;
            if its != Login::Nothing {
                if login != Login::Nothing && login != its {
                    return Err(NatsError::Logins);
                }
                login = its;
            }
            servers.push(server);
        }
        let heartbeat = Duration::from_secs(15);
        Ok(Self { servers: servers.into(), login, tls: TlsClient::new(), heartbeat })
    }

    /// Whom to believe that it is the server, under TLS; by default those whom
    /// [browsers believe](TlsClient::new). The client reads the certificates of the system
    /// as well, and fails without any, but does not believe them.
    #[must_use]
    pub fn tls(mut self, tls: TlsClient) -> Self {
        self.tls = tls;
        self
    }

    /// After how long a server that says nothing is lost, though it was asked twice; by
    /// default 15 seconds.
    #[must_use]
    pub fn heartbeat(mut self, heartbeat: Duration) -> Self {
        self.heartbeat = heartbeat;
        self
    }

    /// The addresses, for people.
    fn named(&self) -> String {
        let named: Vec<_> =
            self.servers.iter().map(|server| format!("{}:{}", server.host(), server.port())).collect();
        named.join(", ")
    }
}

/// Reads one address, and takes out of it who asks, as it is shown in logs.
fn parse(address: &str) -> Result<(ServerAddr, Login), NatsError> {
    let wrong = |why: &str| NatsError::Address(why.to_owned());
    let server = address.parse::<ServerAddr>().map_err(|error| NatsError::Address(error.to_string()))?;
    if !matches!(server.scheme(), "nats" | "tls") || server.host().is_empty() {
        return Err(wrong("there is no host, or NATS is not reached in this way"));
    }
    let plain = |text: &str| subject::text(text).ok_or_else(|| wrong("its user or password is no text"));
    let login = match (server.username(), server.password()) {
        (None, None) => Login::Nothing,
        (Some(token), None) => Login::Token(plain(token)?),
        (user, password) => {
            Login::User(plain(user.unwrap_or_default())?, plain(password.unwrap_or_default())?)
        }
    };
    let mut url = server.into_inner();
    let cleared = url.set_username("").and_then(|()| url.set_password(None));
    cleared.map_err(|()| wrong("it cannot have a user or password"))?;
    let server = ServerAddr::from_url(url).map_err(|error| NatsError::Address(error.to_string()))?;
    Ok((server, login))
}

impl Broker for Nats {
    /// # Panics
    ///
    /// Panics outside of a tokio runtime.
    #[track_caller]
    fn attach(&self, member: Member, inbox: Arc<dyn Inbox>) -> Arc<dyn Line> {
        Arc::new(Wire::attach(self.clone(), &member, inbox))
    }
}

impl fmt::Debug for Nats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nats").field("servers", &self.named()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(address: &str) -> Login {
        Nats::new(address).unwrap().login
    }

    #[test]
    fn an_address_says_who_asks() {
        assert!(login("nats://127.0.0.1") == Login::Nothing);
        assert!(login("nats://a%20b:p%40@127.0.0.1:9") == Login::User("a b".into(), "p@".into()));
        assert!(login("tls://secret@localhost") == Login::Token("secret".into()));
        assert!(login("nats://:p@a, nats://b:5") == Login::User(String::new(), "p".into()));
        assert!(matches!(Nats::new("nats://a:b@c,nats://a:x@d"), Err(NatsError::Logins)));
    }

    #[test]
    fn neither_addresses_nor_errors_show_passwords() {
        let broker = Nats::new("nats://user:pa55word@127.0.0.1:9,tls://[::1]").unwrap();
        assert_eq!(format!("{broker:?}"), r#"Nats { servers: "127.0.0.1:9, ::1:4222", .. }"#);
        assert!(broker.servers.iter().all(|server| !server.as_url_str().contains("pa55word")));
        for wrong in
            ["http://u:pa55word@a", "nats://u:pa55word@", "ws://u:pa55word@a", "nats://u:pa55word%ff@a", ""]
        {
            let error = Nats::new(wrong).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains("nats://[USER:PASSWORD@]HOST") && !shown.contains("pa55word"), "{shown}");
        }
    }
}
