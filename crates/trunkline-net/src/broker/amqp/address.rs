//! [`Address`]: where a broker is, and who we are to it.

use amq_protocol::uri::{AMQPScheme, AMQPUri};
use std::fmt;

#[cfg(feature = "tls")]
use crate::tls::TlsClient;

/// A URI that does not say where a broker is.
#[derive(Debug, thiserror::Error)]
#[error("this is no URI of RabbitMQ: {0}; it looks like amqp://user:password@host:5672/vhost")]
pub struct InvalidUri(&'static str);

/// Where a broker is, and who we are to it.
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
    /// Reads a URI. What is wrong with it is said without what is in it, such as a password.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidUri> {
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

/// The IPv6 address of a URI, if it has one: whoever reads the URI passes over those.
fn address_in_brackets(uri: &str) -> Option<String> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
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
        let address = Address::parse("amqp://me:se%40cret@[::1]:42/a%2Fb").unwrap();
        assert_eq!((&*address.password, &*address.host), ("se@cret", "::1"));
        assert_eq!(address.to_string(), "me@::1:42, virtual host `a/b`");
        let address = Address::parse("amqp://rabbit").unwrap();
        assert_eq!(address.to_string(), "guest@rabbit:5672, virtual host `/`");
        let long = format!("amqp://me:secret@h/{}", "x".repeat(256));
        for wrong in
            ["", "secret", "http://me:secret@h", "amqp:me:secret", "amqp://me:secret@h:99999999", &long]
        {
            let error = Address::parse(wrong).map(|address| address.to_string()).unwrap_err().to_string();
            assert!(error.starts_with("this is no URI") && !error.contains("secret"), "{error}");
        }
    }

    #[cfg(feature = "tls")]
    #[test]
    fn the_scheme_says_whether_there_is_tls() {
        assert!(
            Address::parse("amqps://h").is_ok_and(|address| address.tls.is_some() && address.port == 5671)
        );
        assert!(Address::parse("amqp://h").is_ok_and(|address| address.tls.is_none()));
    }
}
