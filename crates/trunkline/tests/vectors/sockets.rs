//! The vectors of `spec.json` and `grammar.json` over sockets: listeners of a
//! [`Server`] as users make them.

use crate::{
    carrier::{Caller, Carrier, language},
    contact::Contact,
    demo, grammar,
    load::text,
    spec::{self, Clock},
    tally::Tally,
    wire::Wire,
};
use serde_json::{Value, json};
use std::{collections::HashMap, net::SocketAddr};
use tokio::{net::TcpStream, sync::oneshot};
use trunkline::{Listener, Server};

/// A server that listens once for each setting that vectors ask for.
struct Listening {
    addresses: HashMap<String, SocketAddr>,
    wire: Wire,
    stop: oneshot::Sender<()>,
    served: tokio::task::JoinHandle<()>,
}

impl Listening {
    async fn start(wire: Wire) -> Self {
        let options = [Value::Null, json!({"null_params": "reject"}), json!({"version": "any"})];
        let listener = |option: &Value| {
            let listener = Listener::tcp("127.0.0.1:0").language(language(option));
            if wire == Wire::Headers { listener.content_length() } else { listener }
        };
        let server = options
            .iter()
            .fold(Server::new(demo::router()), |server, option| server.listen(listener(option)));
        let bound = server.bind().await.unwrap_or_else(|error| panic!("{error}"));
        let names = options.iter().map(Value::to_string);
        let addresses = names.zip(bound.addresses()).collect();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(bound.serve_until(stopped));
        Self { addresses, wire, stop, served }
    }

    async fn caller(&self, option: &Value) -> Caller {
        let stream = TcpStream::connect(self.addresses[&option.to_string()]).await;
        Caller::Connected(Contact::new(stream.unwrap_or_else(|error| panic!("{error}")), self.wire))
    }

    /// Shuts the server down in good order.
    async fn stop(self) {
        drop(self.stop);
        self.served.await.unwrap_or_else(|error| panic!("{error}"));
    }
}

async fn play_all(carrier: Carrier, wire: Wire, documents: usize, values: usize) {
    let listening = Listening::start(wire).await;
    let mut tally = Tally::default();
    for vector in spec::vectors().iter().filter(|vector| carrier.carries(&vector["transports"])) {
        let caller = listening.caller(&vector["option"]).await;
        tally.record(text(vector, "name"), spec::play(vector, caller, Clock::Running).await);
    }
    for vector in grammar::vectors().iter().filter(|vector| grammar::applies(carrier, vector)) {
        let caller = listening.caller(&Value::Null).await;
        tally.record(text(vector, "name"), grammar::play(vector, carrier, caller).await);
    }
    listening.stop().await;
    tally.assert(documents + values);
}

#[tokio::test]
async fn lines() {
    play_all(Carrier::Lines, Wire::Lines, 173, 188).await;
}

#[tokio::test]
async fn headers() {
    play_all(Carrier::Headers, Wire::Headers, 177, 192).await;
}
