//! [`from_url`]: the broker that a URL says.

use super::{Broker, Memory};
use std::{error::Error, sync::Arc};

/// The broker that a URL says; it is not connected to before a node attaches.
///
/// | URL | broker | cargo feature |
/// |---|---|---|
/// | `memory:` | the nodes of this very program, none unless they get the same value | |
/// | `amqp://user:password@host:port/vhost`, `amqps://…` | RabbitMQ | `amqp` |
/// | `nats://user:password@host:port`, `tls://…` | NATS | `nats` |
///
/// Several servers that are one cluster are named with commas between them:
/// `amqp://user:password@one,two:5673/vhost`, `nats://user:password@one,nats://two`.
///
/// ```
/// use trunkline_net::broker;
///
/// let alone = broker::from_url("memory:")?;
/// let error = broker::from_url("kafka://user:secret@host").err().unwrap().to_string();
/// assert!(error.contains("kafka") && !error.contains("secret"));
/// # Ok::<(), broker::UrlError>(())
/// ```
///
/// # Errors
///
/// Fails if the URL says none, or one that this program was built without. The error
/// repeats nothing of the URL but its scheme: it may hold a password.
pub fn from_url(url: &str) -> Result<Arc<dyn Broker>, UrlError> {
    if url == "memory:" {
        return Ok(Arc::new(Memory::new()));
    }
    match url.split_once("://").ok_or(UrlError::None)?.0 {
        #[cfg(feature = "amqp")]
        "amqp" | "amqps" => match super::Amqp::new(url) {
            Ok(broker) => Ok(Arc::new(broker)),
            Err(error) => Err(UrlError::Address(Box::new(error))),
        },
        #[cfg(feature = "nats")]
        "nats" | "tls" => match super::Nats::new(url) {
            Ok(broker) => Ok(Arc::new(broker)),
            Err(error) => Err(UrlError::Address(Box::new(error))),
        },
        #[cfg(not(feature = "amqp"))]
        scheme @ ("amqp" | "amqps") => Err(UrlError::Feature { scheme: scheme.into(), feature: "amqp" }),
        #[cfg(not(feature = "nats"))]
        scheme @ ("nats" | "tls") => Err(UrlError::Feature { scheme: scheme.into(), feature: "nats" }),
        scheme => Err(UrlError::Scheme(scheme.into())),
    }
}

/// A URL of a broker for people and logs: without whoever is named in it, as that may be a
/// token, without the password, and without the query.
///
/// ```
/// # use trunkline_net::broker;
/// assert_eq!(broker::url_to_show("amqps://me:secret@rabbit:5671/prod?x=1"), "amqps://rabbit:5671/prod");
/// ```
#[must_use]
pub fn url_to_show(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        // what is no URL may be anything
        return if url == "memory:" { url.to_owned() } else { "…".to_owned() };
    };
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let place = place.split(['?', '#']).next().unwrap_or_default();
    format!("{scheme}://{place}")
}

/// A URL that says no broker which is to be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// It is no URL.
    #[error(
        "this is no URL of a broker: write amqp://HOST, amqps://HOST, nats://HOST, tls://HOST or memory:"
    )]
    None,
    /// No broker is reached like that.
    #[error("no broker is reached by `{0}://`: write amqp://, amqps://, nats://, tls:// or memory:")]
    Scheme(String),
    /// The program was built without it.
    #[error(
        "brokers at `{scheme}://` need the cargo feature `{feature}`, which this program was built without"
    )]
    Feature {
        /// How it is reached.
        scheme: String,
        /// What is to be turned on.
        feature: &'static str,
    },
    /// It is not how this broker's URLs are written.
    #[error(transparent)]
    Address(Box<dyn Error + Send + Sync>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_without_what_is_secret() {
        for (url, told) in [
            ("", "no URL"),
            ("secret", "no URL"),
            ("me:secret@host", "no URL"),
            ("memory:secret", "no URL"),
            ("http://me:secret@host", "`http://`"),
            ("AMQP://me:secret@host", "`AMQP://`"),
        ] {
            let error = from_url(url).err().unwrap().to_string();
            assert!(error.contains(told) && !error.contains("secret"), "{url}: {error}");
        }
        assert!(from_url("memory:").is_ok());
    }

    #[test]
    fn people_are_shown_only_where_it_is() {
        for (url, shown) in [
            ("memory:", "memory:"),
            ("nats://secret@one:4222", "nats://one:4222"),
            ("nats://one,nats://two", "nats://one,nats://two"),
            ("amqp://me:secret@one,two:5673/v", "amqp://one,two:5673/v"),
            ("nats://me:secret,s@one,nats://me:secret@two", "nats://two"),
            ("amqp://me:secret/secret@host/%2f?auth=secret", "amqp://host/%2f"),
            ("me:secret@host", "…"),
        ] {
            assert_eq!(url_to_show(url), shown);
        }
    }
}
