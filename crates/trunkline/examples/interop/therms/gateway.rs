//! What a gateway of the kit has: procedures of its own, and what it tells of connections.

use super::service::echoed;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use trunkline::{
    Connection, Hooks, Peer, RawArgs, Router, handler,
    therms::{self, Identity, Request},
};

pub(crate) const CLIENT_MESSAGE: &str = "gateway.client-message";
pub(crate) const IDENTITY_CHANGE: &str = "gateway.identity-change";

/// What has become of connections, in order.
#[derive(Clone, Default)]
pub(crate) struct Events(Arc<Mutex<Vec<Value>>>);

impl Events {
    fn record(&self, event: Value) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }

    /// All of it so far.
    pub(crate) fn all(&self) -> Vec<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The procedures of a gateway.
    pub(crate) fn router(&self) -> Router {
        let (all, changes, messages) = (self.clone(), self.clone(), self.clone());
        let identity = move |request: Request, peer: Peer| {
            changes.record(json!({
                "event": "identity", "connectionId": peer.connection().id(), "identity": request.identity,
                "ip": request.trace.ip_address,
            }));
            request.identity.map(|identity| peer.session().insert(identity));
            async {}
        };
        let message = move |request: Request, peer: Peer, message: RawArgs| {
            let (message, id) = (echoed(&message), peer.connection().id());
            let mut event = json!({"event": "message", "connectionId": id, "clientMessage": message});
            if let Some(identity) = &request.identity {
                event["identity"] = json!(identity);
            }
            messages.record(event);
            let answer = json!({"echo": message, "connectionId": id, "identity": request.identity});
            let said = peer.notify(therms::SERVER_MESSAGE, answer);
            async { said }
        };
        Router::new()
            .procedure("gateway.events", move || {
                let events = all.all();
                async move { json!({"events": events}) }
            })
            .procedure(IDENTITY_CHANGE, handler(identity).internal())
            .procedure(CLIENT_MESSAGE, handler(message).internal())
    }

    /// What tells of connections that come and go.
    pub(crate) fn hooks(&self) -> Hooks {
        let (here, gone) = (self.clone(), self.clone());
        Hooks::default()
            .on_connect(move |peer| {
                let connection = peer.connection();
                let (id, ip) = (connection.id(), ip(connection));
                here.record(json!({"event": "connect", "connectionId": id, "ip": ip}));
            })
            .on_disconnect(move |peer, _| {
                let identity = peer.session().get::<Identity>();
                let (id, ip) = (peer.connection().id(), ip(peer.connection()));
                gone.record(json!({
                    "event": "disconnect", "connectionId": id, "identity": identity.as_deref(), "ip": ip,
                }));
            })
    }
}

fn ip(connection: &Connection) -> Option<String> {
    connection.remote().map(|address| address.ip().to_string())
}
