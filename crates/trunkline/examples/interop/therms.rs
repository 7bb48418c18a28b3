//! The service of the kit for the dialect of @therms: in one process, or in several.

mod gateway;
mod service;

use self::gateway::Events;
use std::{error::Error, time::Duration};
use trunkline::{Limits, Router, Server, Therms, broker::from_url};

const USAGE: &str = "usage: interop therms [--http ADDRESS] [--ws ADDRESS] [--role gateway|handler] \
                     [--broker URI] [--name NAME] [--scopes SCOPE,…]";

/// How long the original waits for an answer.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// What the command line says.
struct Options<'a> {
    addresses: Vec<&'a str>,
    is_gateway: bool,
    is_handler: bool,
    broker: Option<&'a str>,
    /// What the server calls itself.
    name: &'a str,
    /// Those that a handler has; all, if none are named.
    scopes: Vec<&'a str>,
}

impl<'a> Options<'a> {
    fn read(args: &[&'a str]) -> Result<Self, &'static str> {
        let mut options = Self {
            addresses: Vec::new(),
            is_gateway: true,
            is_handler: true,
            broker: None,
            name: "trunkline",
            scopes: Vec::new(),
        };
        for option in args.chunks(2) {
            match *option {
                ["--http" | "--ws", address] => options.addresses.push(address),
                ["--role", "gateway"] => options.is_handler = false,
                ["--role", "handler"] => options.is_gateway = false,
                ["--broker", uri] => options.broker = Some(uri),
                ["--name", name] => options.name = name,
                ["--scopes", scopes] => options.scopes = scopes.split(',').collect(),
                _ => return Err(USAGE),
            }
        }
        Ok(options)
    }

    fn router(&self, events: &Events) -> Router {
        let mut router = Router::new();
        if self.is_gateway {
            router = router.merge(events.router());
        }
        if self.is_handler {
            let wants = |scope: &str| self.scopes.is_empty() || self.scopes.contains(&scope);
            router = router.merge(service::router(self.name, wants));
        }
        router
    }
}

/// Serves calls until the process is interrupted.
pub(crate) async fn serve(args: &[&str]) -> Result<(), Box<dyn Error>> {
    let options = Options::read(args)?;
    let events = Events::default();
    let mut server = Server::new(options.router(&events)).name(options.name);
    server = server.limits(Limits::default().call_timeout(CALL_TIMEOUT));
    if options.is_gateway {
        let therms = Therms::default()
            .client_messages(gateway::CLIENT_MESSAGE)
            .identity_changes(gateway::IDENTITY_CHANGE);
        server = server.therms(therms).hooks(events.hooks());
    }
    if let Some(uri) = options.broker {
        server = server.broker(from_url(uri)?);
    }
    let server = options.addresses.iter().fold(server, |server, address| server.http(*address));
    let server = server.bind().await?;
    server.joined().await;
    println!("ready {:?}", server.addresses());
    server.serve_until(tokio::signal::ctrl_c()).await;
    Ok(())
}
