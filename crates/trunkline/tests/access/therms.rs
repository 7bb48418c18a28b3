//! Who callers say that they are in the dialect of @therms, and who that is.

use crate::{
    http_client::Request,
    wire::{Arrival, Wire},
    world::{access, router, shut},
};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use trunkline::{Connection, Link, Server, Service, Therms, ws::WebSocket};

async fn posted(address: SocketAddr, body: &str, header: Option<&str>) -> (u16, String) {
    let mut request = Request::post(body.as_bytes());
    if let Some(token) = header {
        request = request.header("authorization", &format!("Bearer {token}"));
    }
    let response = request.send(address).await.unwrap();
    (response.status, response.body)
}

#[tokio::test]
async fn an_identity_in_a_body_is_that_of_its_call() {
    let server = Server::new(router(&shut())).security(access(&shut())).therms(Therms::default());
    let bound = server.http("127.0.0.1:0").bind().await.unwrap();
    let address = bound.addresses()[0];
    let serving = tokio::spawn(bound.serve());
    let whoami =
        |token: &str| format!(r#"{{"procedure":"whoami","identity":{{"authorization":"{token}"}}}}"#);
    let is = |name: &str| (200, format!(r#"{{"code":200,"data":"{name}","success":true}}"#));
    assert_eq!(posted(address, &whoami("ada"), None).await, is("ada"));
    assert_eq!(posted(address, r#"{"procedure":"whoami"}"#, None).await, is("nobody"), "it is forgotten");
    assert_eq!(posted(address, r#"{"procedure":"whoami"}"#, Some("bob")).await, is("bob"));
    // whoever says that it is somebody is nobody unless that is so, whatever the header said
    assert_eq!(posted(address, &whoami("eve"), Some("bob")).await, is("nobody"));
    assert_eq!(posted(address, &whoami("boom"), None).await, is("nobody"));
    assert_eq!(posted(address, r#"{"procedure":"whoami"}"#, Some("eve")).await.0, 401);

    let refused = r#"{"code":401,"message":"authenticate first","success":false}"#;
    let reset = r#"{"procedure":"reset","identity":{"authorization":"eve"}}"#;
    assert_eq!(posted(address, reset, None).await, (200, refused.to_owned()));
    let jsonrpc = r#"{"jsonrpc":"2.0","id":1,"method":"whoami"}"#;
    let answer = r#"{"jsonrpc":"2.0","id":1,"result":"ada"}"#.to_owned();
    assert_eq!(posted(address, jsonrpc, Some("ada")).await, (200, answer));
    serving.abort();
}

async fn ask(stream: &mut DuplexStream, message: &str) -> String {
    stream.write_all(&Wire::WebSocket.wrap(message.as_bytes())).await.unwrap();
    let mut read = Vec::new();
    loop {
        if let Some((Arrival::Document(text), _)) = Wire::WebSocket.cut(&read) {
            return text;
        }
        assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0, "the connection ended: {read:?}");
    }
}

#[tokio::test]
async fn an_identity_is_acknowledged_once_it_is_known_whose_it_is() {
    let service = Service::new(router(&shut()), Therms::default().authenticating()).security(access(&shut()));
    let (mut here, there) = tokio::io::duplex(64 << 10);
    let link = Link::new(there, WebSocket::server(), Connection::new("websocket", "therms"));
    tokio::spawn(async move { trunkline::serve(link, &service).await });
    let introduce =
        |token: &str| format!(r#"{{"identity":{{"authorization":"{token}"}},"correlationId":1}}"#);
    let whoami = r#"{"procedure":"whoami"}"#;

    let refused = r#"{"code":401,"correlationId":1,"message":"the token is not known","success":false}"#;
    assert_eq!(ask(&mut here, &introduce("eve")).await, refused);
    assert_eq!(ask(&mut here, whoami).await, r#"{"code":200,"data":"nobody","success":true}"#);
    let known = r#"{"code":200,"correlationId":1,"success":true}"#;
    assert_eq!(ask(&mut here, &introduce("ada")).await, known);
    assert_eq!(ask(&mut here, &introduce("ada")).await, known);
    assert_eq!(ask(&mut here, whoami).await, r#"{"code":200,"data":"ada","success":true}"#);
    assert!(ask(&mut here, &introduce("bob")).await.contains("authorization has changed"));
}

#[tokio::test]
async fn a_token_that_was_refused_with_a_call_is_refused_again_and_may_be_another() {
    let service = Service::new(router(&shut()), Therms::default().authenticating()).security(access(&shut()));
    let (mut here, there) = tokio::io::duplex(64 << 10);
    let link = Link::new(there, WebSocket::server(), Connection::new("websocket", "therms"));
    tokio::spawn(async move { trunkline::serve(link, &service).await });
    let whoami = |token: &str| {
        format!(r#"{{"procedure":"whoami","identity":{{"authorization":"{token}"}},"correlationId":2}}"#)
    };
    let introduce =
        |token: &str| format!(r#"{{"identity":{{"authorization":"{token}"}},"correlationId":1}}"#);
    let is = |name: &str| format!(r#"{{"code":200,"correlationId":2,"data":"{name}","success":true}}"#);
    let refused = r#"{"code":401,"correlationId":1,"message":"the token is not known","success":false}"#;
    let known = r#"{"code":200,"correlationId":1,"success":true}"#;

    assert_eq!(ask(&mut here, &whoami("eve")).await, is("nobody"));
    assert_eq!(ask(&mut here, &introduce("eve")).await, refused);
    assert_eq!(ask(&mut here, &whoami("ada")).await, is("ada"));
    assert_eq!(ask(&mut here, &introduce("ada")).await, known);
    assert_eq!(ask(&mut here, &whoami("ada")).await, is("ada"), "it is said with each call");
}
