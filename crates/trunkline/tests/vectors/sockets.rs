//! Documents over sockets, to the listeners of a [`Server`] as users make them:
//! TCP, HTTP and WebSocket.

use crate::{
    carrier::{Caller, Carrier, language},
    contact::Contact,
    demo, grammar, hostile,
    http_client::{dial, upgrade},
    load::text,
    spec::{self, Clock},
    tally::Tally,
    wire::Wire,
};
use serde_json::{Value, json};
use std::{collections::HashMap, net::SocketAddr};
use tokio::{sync::oneshot, task::JoinHandle};
use trunkline::{Listener, Server};

/// A server that listens once for each setting that vectors ask for.
pub(crate) struct Listening {
    carrier: Carrier,
    addresses: HashMap<String, SocketAddr>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Listening {
    /// A server that is reached over HTTP.
    pub(crate) async fn http() -> Self {
        Self::start(Carrier::Exchange).await
    }

    async fn start(carrier: Carrier) -> Self {
        let options = [Value::Null, json!({"null_params": "reject"}), json!({"version": "any"})];
        let here = "127.0.0.1:0";
        let listener = |option: &Value| -> Listener {
            match carrier {
                Carrier::Lines => Listener::tcp(here).language(language(option)).into(),
                Carrier::Headers => Listener::tcp(here).content_length().language(language(option)).into(),
                Carrier::WebSocket | Carrier::Exchange => {
                    Listener::http(here).language(language(option)).into()
                }
            }
        };
        let server = options
            .iter()
            .fold(Server::new(demo::router()), |server, option| server.listen(listener(option)));
        let bound = server.bind().await.unwrap_or_else(|error| panic!("{error}"));
        let addresses = options.iter().map(Value::to_string).zip(bound.addresses()).collect();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(bound.serve_until(stopped));
        Self { carrier, addresses, stop, served }
    }

    pub(crate) fn address(&self, option: &Value) -> SocketAddr {
        self.addresses[&option.to_string()]
    }

    async fn caller(&self, option: &Value) -> Result<Caller, String> {
        let address = self.address(option);
        Ok(match self.carrier {
            Carrier::Lines => Caller::Connected(Contact::new(dial(address).await?, Wire::Lines)),
            Carrier::Headers => Caller::Connected(Contact::new(dial(address).await?, Wire::Headers)),
            Carrier::WebSocket => Caller::Connected(Contact::new(upgrade(address).await?, Wire::WebSocket)),
            Carrier::Exchange => Caller::posting(address),
        })
    }

    /// Shuts the server down in good order.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        self.served.await.unwrap_or_else(|error| panic!("{error}"));
    }
}

async fn play_all(carrier: Carrier, documents: usize, values: usize) {
    let listening = Listening::start(carrier).await;
    let mut tally = Tally::default();
    for vector in spec::vectors().iter().filter(|vector| carrier.carries(&vector["transports"])) {
        let outcome = match listening.caller(&vector["option"]).await {
            Ok(caller) => spec::play(vector, caller, Clock::Running).await,
            Err(why) => Err(why),
        };
        tally.record(text(vector, "name"), outcome);
    }
    for vector in grammar::vectors().iter().filter(|vector| grammar::applies(carrier, vector)) {
        let outcome = match listening.caller(&Value::Null).await {
            Ok(caller) => grammar::play(vector, carrier, caller).await,
            Err(why) => Err(why),
        };
        tally.record(text(vector, "name"), outcome);
    }
    listening.stop().await;
    tally.assert(documents + values);
}

#[tokio::test]
async fn lines_over_tcp() {
    play_all(Carrier::Lines, 173, 188).await;
}

#[tokio::test]
async fn headers_over_tcp() {
    play_all(Carrier::Headers, 177, 192).await;
}

#[tokio::test]
async fn websocket_over_http() {
    play_all(Carrier::WebSocket, 177, 192).await;
}

#[tokio::test]
async fn posts_over_http() {
    play_all(Carrier::Exchange, 172, 192).await;
}

/// A listener has a way of its own to refuse bodies that are too long.
#[tokio::test]
async fn hostile_posts_over_http() {
    let listening = Listening::http().await;
    let mut tally = Tally::default();
    for vector in hostile::vectors().iter().filter(|vector| Carrier::Exchange.carries(&vector["transports"]))
    {
        let outcome = match listening.caller(&Value::Null).await {
            Ok(caller) => hostile::play(vector, caller, Clock::Running).await,
            Err(why) => Err(why),
        };
        tally.record(text(vector, "name"), outcome);
    }
    listening.stop().await;
    tally.assert(78);
}
