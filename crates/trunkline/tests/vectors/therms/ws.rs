//! `ws-*.json`: one connection each.

use super::{Events, PROXIES, compare, differences, language, load, router, sent};
use crate::{
    contact::{self, Contact},
    load::{list, text},
    session,
    tally::Tally,
    wire::{self, Arrival, Wire},
};
use serde_json::{Value, json};
use trunkline::{Connection, JsonRpc, Link, Mixed, Router, Service, therms::Coercion, ws::WebSocket};

/// Serves `router` as a server does.
pub(super) fn serve(router: Router, events: &Events) -> Service {
    let coercion = Coercion::of(&router).unwrap();
    let language = Mixed::new(JsonRpc::default(), language());
    Service::new(router.coercing(coercion), language).hooks(events.hooks())
}

pub(super) async fn play(vector: &Value, service: &Service, events: &Events) -> Result<(), String> {
    let messages = list(vector, "messages");
    let mut contact = connect(service, &messages[0]);
    let mut close = None;
    for message in messages {
        match (message["dir"].as_str(), message["ws"]["opcode"].as_str()) {
            (Some("c2s"), Some("text")) => contact.raw(&Wire::WebSocket.wrap(&sent(message))).await?,
            (Some("c2s"), Some("binary")) => {
                contact.raw(&Wire::WebSocket.wrap_binary(&sent(message))).await?;
            }
            (Some("c2s"), Some("close")) => {
                let code = message["ws"]["code"].as_u64().and_then(|code| u16::try_from(code).ok());
                contact.raw(&wire::close(code.unwrap_or_default())).await?;
            }
            (Some("s2c"), Some("close")) => close = Some(&message["ws"]["code"]),
            _ => {}
        }
    }
    let recorded = |message: &&Value| message["dir"] == "s2c" && message["ws"]["opcode"] == "text";
    let expected: Vec<Value> = match differences::of(text(vector, "scenario")) {
        Some(difference) => difference.answers.iter().map(|text| session::read(text)).collect(),
        None => messages.iter().filter(recorded).map(|message| message["body"].clone()).collect(),
    };
    let (arrived, _) = contact.until_quiet().await;
    let (documents, rest): (Vec<Arrival>, Vec<Arrival>) =
        arrived.into_iter().partition(|arrival| matches!(arrival, Arrival::Document(_)));
    let documents = contact::documents(documents)?;
    if documents.len() != expected.len() {
        return Err(format!("{} answers, expected {}: {documents:?}", documents.len(), expected.len()));
    }
    expected.iter().zip(&documents).try_for_each(|(expected, got)| compare(expected, got))?;
    if let Some(close) = close
        && !matches!(*rest, [Arrival::Close(code)] if *close == code)
    {
        return Err(format!("{rest:?} in place of a close frame with {close}"));
    }
    match vector.get("callbacks") {
        Some(callbacks) => compare_events(callbacks, &events.all()),
        None => Ok(()),
    }
}

fn connect(service: &Service, asked: &Value) -> Contact {
    let mut headers = trunkline::Headers(Default::default()).0;
    for header in asked["http"]["headers"].as_array().into_iter().flatten() {
        let value = header[1].as_str().unwrap_or_default();
        if header[0] == "X-Real-IP" {
            headers.insert("x-real-ip", value.parse().unwrap());
        }
    }
    let (here, there) = tokio::io::duplex(64 << 10);
    let connection = Connection::new("websocket", "therms")
        .with_remote(Some(([127, 0, 0, 1], 1).into()))
        .trust_proxies(&PROXIES)
        .with_request("/".parse().unwrap(), headers);
    let link = Link::new(here, WebSocket::server(), connection);
    let service = service.clone();
    tokio::spawn(async move { trunkline::serve(link, &service).await });
    Contact::new(there, Wire::WebSocket)
}

/// What was told of a connection, but for its name, and for its address, which hooks find
/// in the connection itself.
fn compare_events(recorded: &Value, events: &[Value]) -> Result<(), String> {
    let told = |event: &Value| json!([event["event"], event["identity"], event["clientMessage"]]);
    let expected: Vec<Value> = recorded.as_array().into_iter().flatten().map(told).collect();
    let got: Vec<Value> = events.iter().map(told).collect();
    if got == expected { Ok(()) } else { Err(format!("expected {expected:?}, got {got:?}")) }
}

#[tokio::test(start_paused = true)]
async fn connections() {
    let mut tally = Tally::default();
    for vector in differences::played(load("ws-", 48), "ws-") {
        let events = Events::default();
        let service = serve(router(&events), &events);
        tally.record(text(&vector, "scenario"), play(&vector, &service, &events).await);
    }
    tally.assert(48 - 3);
}
