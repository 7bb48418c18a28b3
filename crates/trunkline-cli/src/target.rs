//! [`Target`]: where a server is, and how to speak with it.

use crate::{duration, failure::Failure, header::Header};
use clap::Args;
use std::{str::FromStr, time::Duration};
use tokio::time::timeout;
use trunkline::{
    Client, Limits,
    client::{Address, Builder, DialError},
};

/// Where a server is, and how to speak with it.
#[derive(Args, Debug)]
pub(crate) struct Target {
    /// Where the server is: tcp://, tls+tcp://, unix:, ws://, wss://, http://, https://, stdio:
    #[arg(value_name = "URL")]
    pub(crate) url: Url,

    #[command(flatten)]
    pub(crate) how: How,
}

/// How to speak with a server, wherever it is.
#[derive(Args, Debug)]
pub(crate) struct How {
    /// Sends a header along, with ws:// and http:// and their likes; may be given several times
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<Header>,

    /// How long to wait for a connection, and then for each answer: 500ms, 5s, 2m
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration::parse)]
    pub(crate) timeout: Duration,
}

/// An address that makes sense.
#[derive(Clone, Debug)]
pub(crate) struct Url {
    /// As it was typed.
    pub(crate) text: String,
    address: Address,
}

impl FromStr for Url {
    type Err = DialError;

    fn from_str(text: &str) -> Result<Self, DialError> {
        Ok(Self { text: text.to_owned(), address: text.parse()? })
    }
}

impl Target {
    /// A client of the server, to be set up further.
    ///
    /// Fails if there are headers and nothing to carry them: a token that is
    /// left out in silence is a riddle.
    pub(crate) fn client(&self) -> Result<Builder, Failure> {
        let carries = matches!(self.url.address, Address::Http { .. } | Address::WebSocket { .. });
        if !carries && !self.how.headers.is_empty() {
            return Err(Failure::usage(format!("{} has no headers", self.url.address))
                .hint("ws:// or http://, or leave --header out"));
        }
        let limits = Limits::default().drain_timeout(self.how.timeout);
        let max_reply = limits.max_reply;
        let builder = Client::builder(&self.url.text)
            .limits(limits.max_message(max_reply))
            .call_timeout(self.how.timeout)
            .connect_timeout(self.how.timeout);
        let headers = self.how.headers.iter();
        Ok(headers.fold(builder, |builder, Header { name, value }| builder.header(name, value)))
    }

    /// Whether the server can say anything of its own accord.
    pub(crate) fn is_two_way(&self) -> bool {
        !self.url.address.is_http()
    }
}

/// How long a goodbye may take that nothing depends on.
const GOODBYE: Duration = Duration::from_secs(1);

/// Leaves a server in good order, if it plays its part soon.
pub(crate) async fn leave(client: &Client) {
    let _ = timeout(GOODBYE, client.close()).await;
}
