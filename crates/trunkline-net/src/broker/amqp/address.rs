//! [`Address`]: where a server of a broker is, and who we are to it.

use amq_protocol::uri::{AMQPScheme, AMQPUri};
use std::fmt;

#[cfg(feature = "tls")]
use crate::tls::TlsClient;

/// A URI that does not say where a broker is.
#[derive(Debug, thiserror::Error)]
#[error(
    "this is no URI of RabbitMQ: {0}; it looks like amqp://user:password@host:5672/vhost, with commas between several hosts"
)]
pub struct InvalidUri(&'static str);

/// Where a server of a broker is, and who we are to it.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) vhost: String,
    pub(super) user: String,
    pub(super) password: String,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<TlsClient>,
}

impl Address {
    /// Reads a URI that has a host, or several with commas between them. What is wrong with
    /// it is said without what is in it, such as a password.
    pub(super) fn parse(text: &str) -> Result<Vec<Self>, InvalidUri> {
        let (before, hosts, after) = around_hosts(text);
        if text.matches("://").nth(1).is_some() {
            return Err(InvalidUri("it is several, where one with several hosts is wanted"));
        }
        let several = hosts.contains(',');
        let each = hosts.split(',').map(|host| match host.trim() {
            "" if several => Err(InvalidUri("one of its hosts is nothing")),
            host => Self::of_one(&[before, host, after].concat()),
        });
        each.collect()
    }

    fn of_one(text: &str) -> Result<Self, InvalidUri> {
        let refused = "it has neither the form of a URI nor the scheme `amqp` or `amqps`";
        let uri: AMQPUri = text.parse().map_err(|_| InvalidUri(refused))?;
        let userinfo = uri.authority.userinfo;
        if uri.vhost.len() > 255 {
            return Err(InvalidUri("the virtual host has more than 255 bytes"));
        }
        #[cfg(not(feature = "tls"))]
        if uri.scheme == AMQPScheme::AMQPS {
            return Err(InvalidUri("TLS needs the feature `tls`"));
        }
        Ok(Self {
            host: address_in_brackets(text).unwrap_or(uri.authority.host),
            port: uri.authority.port,
            vhost: uri.vhost,
            user: userinfo.username,
            password: userinfo.password,
            #[cfg(feature = "tls")]
            tls: (uri.scheme == AMQPScheme::AMQPS).then(TlsClient::new),
        })
    }
}

/// The part of a URI that says hosts and ports, with what is before and behind it.
fn around_hosts(uri: &str) -> (&str, &str, &str) {
    let authority = uri.find("://").map_or(0, |at| at + 3);
    let end = uri[authority..].find(['/', '?', '#']).map_or(uri.len(), |at| authority + at);
    let hosts = uri[authority..end].rfind('@').map_or(authority, |at| authority + at + 1);
    (&uri[..hosts], &uri[hosts..end], &uri[end..])
}

/// The IPv6 address of a URI, if it has one: whoever reads the URI passes over those.
fn address_in_brackets(uri: &str) -> Option<String> {
    let (_, host, _) = around_hosts(uri);
    let (address, _) = host.strip_prefix('[')?.split_once(']')?;
    Some(address.to_owned())
}

/// Without the password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, vhost, user, .. } = self;
        write!(f, "{user}@{host}:{port}, virtual host `{vhost}`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_says_all_and_its_password_is_shown_to_nobody() {
        let one = |uri| Address::parse(uri).unwrap().remove(0);
        let address = one("amqp://me:se%40cret@[::1]:42/a%2Fb");
        assert_eq!((&*address.password, &*address.host), ("se@cret", "::1"));
        assert_eq!(address.to_string(), "me@::1:42, virtual host `a/b`");
        assert_eq!(one("amqp://rabbit").to_string(), "guest@rabbit:5672, virtual host `/`");
        let long = format!("amqp://me:secret@h/{}", "x".repeat(256));
        for wrong in [
            "",
            "secret",
            "http://me:secret@h",
            "amqp:me:secret",
            "amqp://me:secret@h:99999999",
            "amqp://me:secret@h:1,/v",
            "amqp://me:secret@a,b:99999999",
            "amqp://me:secret@a,amqp://me:secret@b",
            &long,
        ] {
            let error = Address::parse(wrong).map(|all| all.len()).unwrap_err().to_string();
            assert!(error.starts_with("this is no URI") && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn all_hosts_of_a_uri_have_the_same_user_and_virtual_host() {
        let all = Address::parse("amqp://me:p,@a,[::1]:42, b:43/v?heartbeat=1").unwrap();
        assert!(all.iter().all(|address| address.password == "p,"));
        let shown: Vec<_> = all.iter().map(Address::to_string).collect();
        let virtual_host = ", virtual host `v`";
        assert_eq!(shown, ["me@a:5672", "me@::1:42", "me@b:43"].map(|at| [at, virtual_host].concat()));
    }

    #[cfg(feature = "tls")]
    #[test]
    fn the_scheme_says_whether_there_is_tls() {
        let of_all = |uri| Address::parse(uri).unwrap();
        assert!(of_all("amqps://a,b").iter().all(|address| address.tls.is_some() && address.port == 5671));
        assert!(of_all("amqp://h")[0].tls.is_none());
    }
}
