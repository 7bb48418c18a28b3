//! `http-*.json`: one exchange each.

use super::{Events, PROXIES, compare, differences, language, load, router, sent};
use crate::{
    http_client::Request,
    load::{list, text},
    tally::Tally,
};
use serde_json::Value;
use std::net::SocketAddr;
use tokio::sync::oneshot;
use trunkline::{Listener, Server};

pub(super) async fn play(vector: &Value, address: SocketAddr) -> Result<(), String> {
    let [asked, answered] = list(vector, "messages") else { return Err("not one exchange".to_owned()) };
    let body = sent(asked);
    let length = body.len();
    let mut request = Request::new(text(&asked["http"], "method"), body);
    request.path = text(&asked["http"], "path");
    for header in asked["http"]["headers"].as_array().into_iter().flatten() {
        match (header[0].as_str(), header[1].as_str()) {
            (Some("Transfer-Encoding"), _) => request.chunked = true,
            (Some(name), Some(value)) => request = request.header(name, value),
            _ => return Err(format!("the header {header}")),
        }
    }
    if request.method == "GET" && length > 0 {
        request = request.header("content-length", &length.to_string());
    }
    if asked["note"].is_string() && !cfg!(feature = "gzip") {
        let response = request.send(address).await?;
        return if response.status == 415 { Ok(()) } else { Err(format!("{response:?}")) };
    }
    let response = request.send(address).await?;
    let recorded = &answered["http"];
    if recorded["status"] != response.status {
        return Err(format!("expected status {}: {response:?}", recorded["status"]));
    }
    for (name, value) in [("access-control-allow-origin", "*"), ("vary", "Origin")] {
        if response.header(name) != Some(value) {
            return Err(format!("the header {name} of {response:?}"));
        }
    }
    for header in recorded["headers"].as_array().into_iter().flatten() {
        let name = text_of(&header[0]).to_lowercase();
        let is_like = match &*name {
            // of ids that are made up, and of health, whose type is that of its text
            "content-length" | "connection" | "vary" | "content-type" => continue,
            _ => response.header(&name) == header[1].as_str(),
        };
        if !is_like {
            return Err(format!("the header {name} of {response:?}"));
        }
    }
    match differences::of(text(vector, "scenario")) {
        Some(difference) => {
            let [expected] = difference.answers else { return Err("not one answer".to_owned()) };
            let outcome = match serde_json::from_str(expected) {
                Ok(expected) => compare(&expected, &response.body),
                Err(_) if response.body == *expected => Ok(()),
                Err(_) => Err(format!("expected {expected}: {response:?}")),
            };
            outcome.map_err(|why| format!("{why}; it differs because {}", difference.reason))
        }
        None => match answered.get("body") {
            Some(expected) => {
                if response.header("content-type") != Some("application/json") {
                    return Err(format!("the type of {response:?}"));
                }
                compare(expected, &response.body)
            }
            None if response.body == text(answered, "bodyText") => Ok(()),
            None => Err(format!("expected {}: {response:?}", answered["bodyText"])),
        },
    }
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[tokio::test]
async fn exchanges() {
    let server = Server::new(router(&Events::default())).therms(language());
    let listener = Listener::http("127.0.0.1:0").settings(|http| http.trust_proxies(PROXIES));
    let bound = server.listen(listener).bind().await.unwrap();
    let address = bound.addresses()[0];
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(bound.serve_until(stopped));
    let mut tally = Tally::default();
    for vector in differences::played(load("http-", 83), "http-") {
        tally.record(text(&vector, "scenario"), play(&vector, address).await);
    }
    drop(stop);
    served.await.unwrap();
    tally.assert(83 - 4);
}
